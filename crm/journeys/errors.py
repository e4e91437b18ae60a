"""What can go wrong with a journey."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class JourneyNotFoundError(NotFoundError):
    """There is no such journey."""


class JourneyNotPossibleNowError(ConflictError):
    """The journey is not in a state that allows this."""


@dataclass(frozen=True)
class GraphProblem:
    """One fault and its path, such as `nodes.wait.parameters.hours`."""

    path: str
    text: str


class InvalidJourneyError(InvalidError):
    """The journey is not valid."""

    def __init__(self, problems: Sequence[GraphProblem]) -> None:
        super().__init__(f"{problems[0].path}: {problems[0].text}", problems=[asdict(item) for item in problems])
        self.problems = list(problems)
