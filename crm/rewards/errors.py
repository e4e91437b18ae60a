"""What can be wrong with rewards and redemptions."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class RewardNotFound(NotFoundError):
    """There is no such reward."""


class RedemptionNotFound(NotFoundError):
    """There is no such redemption."""


class InvalidReward(InvalidError):
    """The reward's details are not valid."""


class InvalidAddress(InvalidError):
    """An address has 5 to 500 characters."""


class RewardInactive(ConflictError):
    """The reward is not offered at present."""


class RewardNotYet(ConflictError):
    """The reward cannot be had yet."""


class RewardEnded(ConflictError):
    """The reward's time is over."""


class RewardOutOfStock(ConflictError):
    """The last one of this reward is gone."""


class RewardLimit(ConflictError):
    """The member has had this reward as often as one may."""


class RewardTier(ConflictError):
    """The reward is for members of other tiers."""


class RedemptionSettled(ConflictError):
    """The redemption is too far on to be changed like this."""
