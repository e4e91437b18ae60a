"""What can go wrong with points."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class PointsOutOfRange(InvalidError):
    """Points must be a whole number between 1 and 1000000000."""


class InsufficientPoints(ConflictError):
    """There are not enough points for this."""


class PostingKeyReused(ConflictError):
    """This key already posted something else; use a new key for a new posting."""


class InvalidPostingKey(InvalidError):
    """A posting needs a key of 1 to 200 characters, the same whenever the same thing is posted again."""


class InvalidReason(InvalidError):
    """A posting needs a reason of 1 to 200 characters."""


class TransactionNotFound(NotFoundError):
    """There is no such points transaction."""


class AlreadyReversed(ConflictError):
    """This points transaction has been reversed before."""


class NotReversible(ConflictError):
    """Only earnings, redemptions and adjustments can be reversed."""


class RuleNotFound(NotFoundError):
    """There is no such earning rule."""


class UnknownRuleKind(InvalidError):
    """There is no such kind of earning rule."""


class InvalidRule(InvalidError):
    """The earning rule is not valid."""


class RuleNotGrantable(ConflictError):
    """Only an active rule of the kind `manual` can be granted by hand."""


class CheckpointsBroken(ConflictError):
    """The ledger's checkpoints do not agree with its entries; run siyu ledger verify."""
