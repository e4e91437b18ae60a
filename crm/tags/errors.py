"""What can be wrong with tags."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class InvalidTag(InvalidError):
    """A tag is a name, or a group and a name with a colon between them, each of 1 to 64 characters."""


class TagNotFound(NotFoundError):
    """There is no such tag."""


class TagTaken(ConflictError):
    """A tag with this name exists already in this group."""


class TagArchived(ConflictError):
    """This tag is archived; bring it back before you use it."""


class InvalidTagRule(InvalidError):
    """The rule is not valid."""


class TagRuleNotFound(NotFoundError):
    """There is no such rule."""
