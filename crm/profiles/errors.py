"""What can be wrong with a profile."""

from crm.kit.errors import NotFoundError


class ProfileNotFound(NotFoundError):
    """There is no such member."""
