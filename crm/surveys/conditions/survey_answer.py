"""Condition: whether a member finished a survey, and what they answered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from pydantic import Field, StrictInt, StrictStr, model_validator
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.surveys.views import answers, responses

_KEY = r"^[a-z0-9][a-z0-9_-]{0,39}$"
Given = tuple[str, str, Any]
"""Survey key, question key and value of one answer; a finished survey itself stands under the question ''."""


class SurveyAnswerParameters(Parameters):
    """A survey; and, of one of its questions, which answers count."""

    survey: str = Field(pattern=_KEY, title="Survey", description="Key of the survey.")
    question: str | None = Field(default=None, pattern=_KEY, title="Question", description="Empty: it was finished.")
    any_of: list[StrictStr | StrictInt] = Field(default=[], max_length=50, title="Answer is any of")
    at_least: int | None = Field(default=None, ge=-(10**9), le=10**9, title="Answer is at least")
    at_most: int | None = Field(default=None, ge=-(10**9), le=10**9, title="Answer is at most")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        has_bounds = self.at_least is not None or self.at_most is not None
        if self.question is None and (self.any_of or has_bounds):
            raise ValueError("name the question whose answer is tested")
        if self.any_of and has_bounds:
            raise ValueError("give either any_of or bounds")
        if any(isinstance(value, str) and "\x00" in value for value in self.any_of):
            raise ValueError("a text cannot have NUL in it")
        return self


class SurveyAnswerCondition:
    """Members by their answers in finished responses."""

    name = "survey_answer"
    label = "Survey answer"
    group = "Loyalty"
    parameters = SurveyAnswerParameters

    def predicate(self, parameters: SurveyAnswerParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with responses, or with answers."""
        if parameters.question is None:
            finished = (responses.c.survey_key == parameters.survey, responses.c.completed_at.is_not(None))
            return scope.member_id.in_(sa.select(responses.c.member_id).where(*finished))
        asked = (answers.c.survey_key == parameters.survey, answers.c.question == parameters.question)
        return scope.member_id.in_(sa.select(answers.c.member_id).where(*asked, _fits(parameters)))

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, list[Given]]:
        """The answers of each member in finished responses."""
        found: dict[int, list[Given]] = defaultdict(list)
        done = sa.select(responses.c.member_id, responses.c.survey_key).where(
            responses.c.member_id.in_(member_ids), responses.c.completed_at.is_not(None)
        )
        for member_id, survey_key in await session.execute(done):
            found[member_id].append((survey_key, "", None))
        given = sa.select(answers.c.member_id, answers.c.survey_key, answers.c.question, answers.c.value)
        for member_id, *answer in await session.execute(given.where(answers.c.member_id.in_(member_ids))):
            found[member_id].append((answer[0], answer[1], answer[2]))
        return found

    def matches(self, parameters: SurveyAnswerParameters, fact: list[Given] | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        wanted = (parameters.survey, parameters.question or "")
        return any(
            (survey, question) == wanted and (not question or _is_fitting(parameters, value))
            for survey, question, value in fact or []
        )


def _fits(parameters: SurveyAnswerParameters) -> ColumnElement[bool]:
    value: ColumnElement[Any] = answers.c.value
    if parameters.any_of:
        # an array holds a plain value by the same operator that compares plain values
        return sa.or_(*(value.bool_op("@>")(sa.cast(wanted, JSONB)) for wanted in parameters.any_of))
    if parameters.at_least is None and parameters.at_most is None:
        return sa.func.jsonb_typeof(value) != "null"
    number = sa.case((sa.func.jsonb_typeof(value) == "number", sa.cast(value, sa.Numeric)), else_=None)
    bounds = [] if parameters.at_least is None else [number >= parameters.at_least]
    bounds += [] if parameters.at_most is None else [number <= parameters.at_most]
    return sa.and_(*bounds)


def _is_fitting(parameters: SurveyAnswerParameters, value: Any) -> bool:
    if parameters.any_of:
        given = value if isinstance(value, list) else [value]
        return any(wanted in parameters.any_of for wanted in given if not isinstance(wanted, bool))
    if parameters.at_least is None and parameters.at_most is None:
        return value is not None
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return (parameters.at_least is None or value >= parameters.at_least) and (
        parameters.at_most is None or value <= parameters.at_most
    )


survey_answer = SurveyAnswerCondition()
