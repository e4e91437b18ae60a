"""What can be wrong with sources."""

from crm.kit.errors import InvalidError, NotFoundError


class SourceNotFound(NotFoundError):
    """There is no such source."""


class InvalidSource(InvalidError):
    """The source's details are not valid."""
