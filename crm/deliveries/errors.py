"""What can go wrong with deliveries."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class BroadcastNotFound(NotFoundError):
    """Nothing was ever sent from this source."""


class BroadcastOver(ConflictError):
    """This broadcast was cancelled; what is left of it stays unsent."""


class InvalidWindow(InvalidError):
    """The time after which a message is worthless must come after the time of its sending."""


class LeaseLost(Exception):
    """Another sender owns this chunk now; what the present one still holds must not be written."""
