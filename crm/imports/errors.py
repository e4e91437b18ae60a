"""What can be wrong with an import."""

from crm.kit.errors import InvalidError, NotFoundError


class InvalidFile(InvalidError):
    """The file cannot be read as a table."""


class InvalidMapping(InvalidError):
    """The columns do not fit the fields of a member."""


class ImportNotFound(NotFoundError):
    """There is no such import."""
