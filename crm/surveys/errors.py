"""What can go wrong with surveys."""

from dataclasses import dataclass

from crm.kit.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a definition, and exactly where: `questions.2.jump.0.to`."""

    path: str
    message: str


class InvalidSurvey(InvalidError):
    """The survey's definition is not valid."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.path}: {first.message}{more}", problems=[vars(problem) for problem in problems])


class InvalidAnswer(InvalidError):
    """This is not an answer to the question."""


class SurveyNotFound(NotFoundError):
    """There is no such survey."""


class SurveyKeyTaken(ConflictError):
    """There is a survey with this key already."""


class InvalidSurveyKey(InvalidError):
    """A survey's key has 1 to 40 characters: small letters, digits, - and _."""


class InvalidSurveyName(InvalidError):
    """A survey needs a name."""


class SurveyChanged(ConflictError):
    """The survey was changed by someone else meanwhile; load it again."""


class SurveyArchived(ConflictError):
    """The survey is archived; it can be read, not changed."""


class SurveyNotOpen(ConflictError):
    """This survey cannot be answered now."""


class AlreadyAnswered(ConflictError):
    """The member has answered this survey."""


class ResponseNotFound(NotFoundError):
    """There is no such response."""


class ResponseNotYours(ForbiddenError):
    """The response belongs to another member."""


class ResponseFinished(ConflictError):
    """The response is finished; its answers stay as they are."""


class QuestionNotOpen(ConflictError):
    """This question is not asked now."""


class SurveyUnfinished(ConflictError):
    """There are questions left to answer."""
