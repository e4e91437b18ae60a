"""What can be wrong with missions and badges."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class MissionNotFound(NotFoundError):
    """There is no such mission."""


class BadgeNotFound(NotFoundError):
    """There is no such badge."""


class InvalidMission(InvalidError):
    """The mission's details are not valid."""


class InvalidBadge(InvalidError):
    """The badge's details are not valid."""


class BadgeHeld(ConflictError):
    """The member has this badge already."""
