"""What can be wrong with activities and registrations."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class ActivityNotFound(NotFoundError):
    """There is no such activity."""


class RegistrationNotFound(NotFoundError):
    """There is no such registration for this activity."""


class InvalidActivity(InvalidError):
    """The activity's details are not valid."""


class ActivityState(ConflictError):
    """The activity is not in a state that allows this."""


class ActivityNotOpen(ConflictError):
    """Nobody can register for this activity at present."""


class ActivityNotYet(ConflictError):
    """Registration for this activity has not begun yet."""


class RegistrationOver(ConflictError):
    """Registration for this activity is over."""


class ActivityTier(ConflictError):
    """The activity is for members of other tiers."""


class ActivitySegment(ConflictError):
    """The activity is for members of certain segments."""


class ActivityFull(ConflictError):
    """The last place of this activity is taken."""


class ActivityBegun(ConflictError):
    """The activity has begun; a registration is not cancelled any more."""


class NotRegistered(ConflictError):
    """The member has no place at this activity."""


class StillWaiting(ConflictError):
    """This registration is on the waiting list; it has no place yet."""


class AlreadyAttended(ConflictError):
    """This registration was checked in before."""


class DoorClosed(ConflictError):
    """Check-in opens two hours before the activity and ends with it; the shop can check in until it is closed."""


class WrongDoorCode(InvalidError):
    """No activity that is on now has this code."""
