"""The condition on the points balance."""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Condition
from crm.points.conditions.points_balance import points_balance
from tests.factories.conditions import who_matches
from tests.factories.members import make_member
from tests.factories.points import give


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"at_least": 0}, "none some many"),
        ({"at_least": 1}, "some many"),
        ({"at_least": 50, "at_most": 50}, "some"),
        ({"at_most": 49}, "none"),
        ({"at_least": 501}, ""),
    ],
)
async def test_who_has_how_many(session: AsyncSession, parameters: dict[str, Any], expected: str) -> None:
    members = {name: (await make_member(session)).id for name in ("none", "some", "many")}
    await give(session, members["some"], 50)
    await give(session, members["many"], 500)
    assert isinstance(points_balance, Condition)
    assert await who_matches(session, points_balance, members, **parameters) == expected


@pytest.mark.parametrize(
    "parameters", [{}, {"at_least": -1}, {"at_least": 2, "at_most": 1}, {"at_least": 10**16}, {"more": 1}]
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        points_balance.parameters.model_validate(parameters)
