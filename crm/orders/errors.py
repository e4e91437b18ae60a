"""What can be wrong with orders."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class InvalidOrder(InvalidError):
    """The order is not valid."""


class OrderDiffers(ConflictError):
    """An order with this source and number is recorded already, for another member, amount or currency."""


class OrderNotFound(NotFoundError):
    """There is no such order."""


class OrderNotPaid(ConflictError):
    """Only a paid order can be refunded."""


class OrderRefundedBefore(ConflictError):
    """This order was refunded in full before; there is nothing left to return."""


class RefundTooLarge(ConflictError):
    """More would be returned than is left of what was paid for this order."""


class RefundKeyReused(ConflictError):
    """This key already returned another amount for this order; use a new key for a new refund."""


class InvalidRefund(InvalidError):
    """A refund is an amount above 0 with at most two decimals, or none for all that is left, and a key of 1 to 128."""


class TooManyRefunds(ConflictError):
    """An order can be refunded in at most 100 parts."""
