"""What can go wrong with recovery."""

from crm.kit.errors import ConflictError


class NotInSafeModeError(ConflictError):
    """Siyu is not in safe mode; it is sending already."""


class AlreadyInSafeModeError(ConflictError):
    """Siyu is in safe mode already; siyu resume-sending ends it."""
