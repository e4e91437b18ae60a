"""What can go wrong with tickets."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class TicketNotFound(NotFoundError):
    """There is no such ticket."""


class EmptyReply(InvalidError):
    """A reply needs a text of at most 4000 characters."""


class NoChannel(ConflictError):
    """The member cannot be reached on any channel now."""
