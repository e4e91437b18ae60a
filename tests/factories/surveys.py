"""Surveys for tests."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.surveys import service
from crm.surveys.types import Survey


def both(text: str) -> dict[str, str]:
    """The text in both shipped languages."""
    return {"en": text, "zh-CN": f"{text}（中文）"}


def tea_survey() -> dict[str, Any]:
    """NPS; those who would not recommend are asked why, the others what they like; then stars, which may be skipped."""
    return {
        "intro": both("Two minutes, please"),
        "thanks": both("Thank you"),
        "questions": [
            {
                "key": "nps",
                "type": "nps",
                "title": both("Would you recommend us?"),
                "jump": [{"if": {"at_least": 7}, "to": "likes"}],
                "tags": [{"if": {"at_least": 9}, "tag": "nps:promoter"}],
            },
            {"key": "why", "type": "text", "title": both("What went wrong?"), "jump": [{"to": "stars"}]},
            {
                "key": "likes",
                "type": "multiple",
                "title": both("What do you like?"),
                "options": [
                    {"key": "green", "label": both("Green"), "tag": "likes:green"},
                    {"key": "oolong", "label": both("Oolong"), "tag": "likes:oolong"},
                    {"key": "black", "label": both("Black")},
                ],
            },
            {
                "key": "often",
                "type": "single",
                "title": both("How often?"),
                "options": [{"key": "daily", "label": both("Daily")}, {"key": "rarely", "label": both("Rarely")}],
                "jump": [{"if": {"is": "rarely"}, "to": "end"}],
            },
            {"key": "stars", "type": "rating", "title": both("Stars?"), "required": False},
        ],
    }


async def make_survey(
    session: AsyncSession,
    key: str = "tea",
    *,
    definition: dict[str, Any] | None = None,
    is_repeatable: bool = False,
) -> Survey:
    """A published survey."""
    made = await service.create(
        session, key=key, name="Tea", definition=definition or tea_survey(), is_repeatable=is_repeatable
    )
    return await service.publish(session, made.id)
