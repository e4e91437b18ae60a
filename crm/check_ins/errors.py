"""What can be wrong with check-ins, make-up cards and the leaderboard."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class InvalidCheckInProgramme(InvalidError):
    """The check-in settings are not valid."""


class InvalidMilestone(InvalidError):
    """The milestone's details are not valid."""


class MilestoneNotFound(NotFoundError):
    """There is no such milestone."""


class MilestoneTaken(ConflictError):
    """There is an active milestone of this day already; change that one, or switch it off first."""


class MakeUpOff(ConflictError):
    """Missed days cannot be filled; the settings of check-ins allow it by the number of days back."""


class DayNotMissed(ConflictError):
    """This day was not missed, so there is nothing to fill."""


class DayOutOfReach(ConflictError):
    """This day lies too far back to be filled, or before the member's first check-in."""


class MakeUpLimit(ConflictError):
    """As many days as a month allows were filled; more can be filled next month."""


class NoCards(ConflictError):
    """The member has no make-up card."""


class CardsNotSold(ConflictError):
    """Make-up cards cannot be bought, or not as many in a month."""


class TooManyCards(ConflictError):
    """Nobody holds that many make-up cards; use some first."""


class InvalidCards(InvalidError):
    """Give 1 to 100 cards and a reason of 1 to 200 characters."""


class LeaderboardOff(NotFoundError):
    """There is no leaderboard; the settings of check-ins can switch it on."""


class NotOnLeaderboard(NotFoundError):
    """The member is not on the leaderboard."""
