"""What can be wrong with draws."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class DrawNotFound(NotFoundError):
    """There is no such draw."""


class PlayNotFound(NotFoundError):
    """There is no such play of this draw."""


class InvalidDraw(InvalidError):
    """The draw's details are not valid."""


class DrawFixed(ConflictError):
    """An opened draw is not changed any more: its rules were published."""


class DrawNotOpen(ConflictError):
    """The draw is not open."""


class DrawNotYet(ConflictError):
    """The draw has not begun yet."""


class DrawEnded(ConflictError):
    """The draw is over."""


class DrawEmpty(ConflictError):
    """All packets of the draw are taken."""


class DrawAccess(ConflictError):
    """The draw is for other members."""


class NoChances(ConflictError):
    """The member has no chance left in this draw."""


class ChancesNotSold(ConflictError):
    """No more chances can be bought today."""


class SeedSealed(ConflictError):
    """The seed is revealed when the draw is closed; until then nobody can recompute results."""


class PrizeSettled(ConflictError):
    """The prize was handed over before."""
