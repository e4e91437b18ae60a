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
    """Only earnings, redemptions, adjustments and spent holds can be reversed."""


class PendingNotFound(NotFoundError):
    """There are no pending points with this key."""


class PendingResolved(ConflictError):
    """These pending points were activated or cancelled before."""


class InvalidPending(InvalidError):
    """Pending points become active at a time in the future, at most ten years ahead, or by an act."""


class HoldNotFound(NotFoundError):
    """No points are held under this key."""


class HoldResolved(ConflictError):
    """These held points were spent or given back before; a hold is resolved once."""


class HoldRanOut(ConflictError):
    """The time of this hold is over, and its points go back; hold them again to spend them."""


class InvalidHold(InvalidError):
    """Points are held until a time in the future, at most 366 days ahead."""


class MomentAhead(InvalidError):
    """A balance is known for now and the past; give a moment that is over."""


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


class ReplayNotFound(NotFoundError):
    """There is no such replay."""


class InvalidReplay(InvalidError):
    """The replay is not valid."""


class ReplaysBusy(ConflictError):
    """Five replays are waiting or running; wait for one to end, or cancel one."""


class ReplayEnded(ConflictError):
    """This replay has ended already."""
