"""What can go wrong with retention."""

from crm.kit.errors import InvalidError, NotFoundError


class RetentionNotFoundError(NotFoundError):
    """There is no such class of data."""


class InvalidRetentionError(InvalidError):
    """Data is kept for a whole number of days."""
