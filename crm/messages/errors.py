"""What can be wrong with a message."""

from collections.abc import Sequence

from crm.kit.errors import InvalidError, NotFoundError
from crm.messages.types import Problem


class TemplateProblemsError(InvalidError):
    """The message has problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(f"{first.place}, line {first.line}: {first.text}", problems=list(problems))
        self.problems = list(problems)


class UnknownTextError(NotFoundError):
    """There is no such text; the list of texts shows their names."""


class RenderingFailedError(InvalidError):
    """The message cannot be rendered: it takes too long or grows too large. Make it simpler."""
