"""What can be wrong with consent."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class UnknownTopic(NotFoundError):
    """There is no such topic; make it in the settings first."""


class TopicTaken(ConflictError):
    """A topic with this key exists already."""


class InvalidTopic(InvalidError):
    """A topic has a key of small letters, digits and underscores, and a name in at least one language."""
