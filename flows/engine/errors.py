"""What a flow may catch of the engine."""

from crm.kit.errors import ConflictError


class AnswerTimedOut(ConflictError):
    """The question was not answered in time."""


class JobFailed(ConflictError):
    """The work that the conversation waited for could not be done."""
