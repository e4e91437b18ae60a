"""What can be wrong with coupons, codes and vouchers; each is also a sentence that the bot says."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class CouponNotFound(NotFoundError):
    """There is no such coupon."""


class VoucherNotFound(NotFoundError):
    """There is no voucher with this code."""


class InvalidCoupon(InvalidError):
    """The coupon's details are not valid."""


class InvalidCodes(InvalidError):
    """The list of codes has faults; nothing of it was imported."""


class CouponInactive(ConflictError):
    """The coupon is switched off; nothing is issued of it."""


class CouponNotYet(ConflictError):
    """The coupon cannot be had yet."""


class CouponEnded(ConflictError):
    """The coupon's time is over."""


class CouponGone(ConflictError):
    """All vouchers of this coupon have been given out."""


class CouponLimit(ConflictError):
    """The member has had as many vouchers of this coupon as one member may have."""


class VoucherUsed(ConflictError):
    """The voucher was used before."""


class VoucherExpired(ConflictError):
    """The voucher has run out."""


class VoucherNotYet(ConflictError):
    """The voucher is not valid yet."""


class VoucherCancelled(ConflictError):
    """The voucher was cancelled."""


class VoucherNotYours(ConflictError):
    """The voucher belongs to another member."""


class VoucherNotUsed(ConflictError):
    """The voucher was not used, so there is nothing to take back."""


class VouchersDoNotCombine(ConflictError):
    """These vouchers cannot be used together."""


class SpendTooLittle(ConflictError):
    """The amount is below the voucher's minimum."""


class UseKeyReused(ConflictError):
    """This key was given before, for other vouchers; use a new key for each order."""
