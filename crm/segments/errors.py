"""What can be wrong with a rule or a segment."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from crm.kit.errors import ConflictError, InvalidError, NotFoundError, UnavailableError


@dataclass(frozen=True)
class RuleProblem:
    """One fault, and where: a path such as `rule.all.1.any.0.tag`."""

    path: str
    text: str


class InvalidRuleError(InvalidError):
    """The rule is not valid."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__(f"{problems[0].path}: {problems[0].text}", problems=[asdict(item) for item in problems])
        self.problems = list(problems)


class SegmentNotFoundError(NotFoundError):
    """There is no such segment."""


class SegmentArchivedError(ConflictError):
    """The segment is archived; bring it back before using it."""


class InvalidSegmentError(InvalidError):
    """A segment needs a name of 1 to 120 characters."""


class RuleTooSlowError(UnavailableError):
    """The rule takes too long to count now; make it narrower or try again later."""
