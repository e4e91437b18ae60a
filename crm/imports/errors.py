"""What can be wrong with an import."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class InvalidFile(InvalidError):
    """The file cannot be read as a table."""


class InvalidMapping(InvalidError):
    """The columns do not fit the fields of a member."""


class ImportNotFound(NotFoundError):
    """There is no such import."""


class ImportNotReady(ConflictError):
    """This import is running or done, or its file was removed after a day; upload the file again."""
