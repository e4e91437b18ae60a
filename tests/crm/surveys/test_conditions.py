"""The condition on survey answers."""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.surveys import service
from crm.surveys.conditions.survey_answer import survey_answer
from tests.factories.conditions import who_matches
from tests.factories.members import make_member
from tests.factories.surveys import make_survey

ANSWERS: dict[str, list[tuple[str, Any]]] = {
    "fan": [("nps", 10), ("likes", ["green", "oolong"]), ("often", "rarely")],
    "critic": [("nps", 2), ("why", "cold"), ("stars", None)],
    "half": [("nps", 10)],
    "nobody": [],
}


async def _members(session: AsyncSession) -> dict[str, int]:
    await make_survey(session)
    members = {name: (await make_member(session)).id for name in ANSWERS}
    for name, answers in ANSWERS.items():
        if answers:
            run = await service.open_run(session, members[name], "tea")
            for key, value in answers:
                await service.record_answer(session, members[name], run.response_id, key, value)
            if len(answers) > 1:
                await service.complete(session, members[name], run.response_id)
    return members


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"survey": "tea"}, "fan critic"),
        ({"survey": "other"}, ""),
        ({"survey": "tea", "question": "nps"}, "fan critic"),
        ({"survey": "tea", "question": "nps", "at_least": 9}, "fan"),
        ({"survey": "tea", "question": "nps", "at_least": 0, "at_most": 6}, "critic"),
        ({"survey": "tea", "question": "nps", "any_of": [2, 3]}, "critic"),
        ({"survey": "tea", "question": "nps", "any_of": ["2"]}, ""),
        ({"survey": "tea", "question": "likes", "any_of": ["oolong", "x' OR 1=1"]}, "fan"),
        ({"survey": "tea", "question": "likes", "at_least": 0}, ""),
        ({"survey": "tea", "question": "often", "any_of": ["rarely"]}, "fan"),
        ({"survey": "tea", "question": "stars"}, ""),
        ({"survey": "tea", "question": "why", "at_most": 5}, ""),
    ],
)
async def test_who_answered_what(session: AsyncSession, parameters: dict[str, Any], expected: str) -> None:
    assert await who_matches(session, survey_answer, await _members(session), **parameters) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"survey": "T"},
        {"survey": "tea", "any_of": ["a"]},
        {"survey": "tea", "question": "nps", "any_of": [1], "at_least": 1},
        {"survey": "tea", "question": "why", "any_of": ["a\x00"]},
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        survey_answer.parameters.model_validate(parameters)
