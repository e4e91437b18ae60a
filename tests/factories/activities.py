"""Activities for tests."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import definitions
from crm.activities.types import Activity, NewActivity, Terms
from crm.db import clock
from crm.surveys import service as surveys
from crm.surveys.types import Survey
from tests.factories.surveys import both

NAME = {"en": "Tea evening", "zh-CN": "茶会"}


async def new_activity(session: AsyncSession, *, days: float = 7, **terms: Any) -> NewActivity:
    """A tea evening of two hours, a week from now unless said otherwise."""
    starts_at = terms.pop("starts_at", None) or await clock.now(session) + timedelta(days=days)
    ends_at = terms.pop("ends_at", None) or starts_at + timedelta(hours=2)
    place = {"en": "Tea house", "zh-CN": "茶馆"}
    return NewActivity(NAME, Terms(starts_at, ends_at, **terms), {"en": "Six teas, slowly."}, place)


async def make_activity(session: AsyncSession, *, is_published: bool = True, **terms: Any) -> Activity:
    """Published unless said otherwise."""
    made = await definitions.create(session, await new_activity(session, **terms))
    return await definitions.publish(session, made.id) if is_published else made


async def make_feedback_survey(session: AsyncSession) -> Survey:
    """Stars and a word, published."""
    definition = {
        "intro": both("How was it?"),
        "thanks": both("Thank you"),
        "questions": [{"key": "stars", "type": "rating", "title": both("Stars?"), "scale": 5}],
    }
    made = await surveys.create(session, key="tea-evening", name="Tea evening", definition=definition)
    return await surveys.publish(session, made.id)


async def door_code(session: AsyncSession, activity: Activity) -> str:
    """What hangs at the door."""
    return (await definitions.door(session, activity.id, public_url="https://crm.example.org")).code
