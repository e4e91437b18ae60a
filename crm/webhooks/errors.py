"""What can be wrong with a webhook."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class EndpointNotFound(NotFoundError):
    """There is no such webhook."""


class MessageNotFound(NotFoundError):
    """There is no such message of this webhook."""


class InvalidEndpoint(InvalidError):
    """The webhook is not valid."""


class TooManyEndpoints(ConflictError):
    """There are 50 webhooks already; remove one that is not needed."""


class EndpointDisabled(ConflictError):
    """The webhook is disabled; enable it first."""
