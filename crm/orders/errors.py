"""What can be wrong with orders."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class InvalidOrder(InvalidError):
    """The order is not valid."""


class OrderDiffers(ConflictError):
    """An order with this source and number is recorded already, for another member, amount or currency."""


class OrderNotFound(NotFoundError):
    """There is no such order."""
