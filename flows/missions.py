"""Missions with their progress, and the badges that a member has."""

from typing import Any

from crm.missions.service import badges as held
from crm.missions.service import progress
from crm.missions.types import Progress
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Opens, flow

_BAR, _MOST = 10, 12


@flow("missions", starts=[Command("missions"), Keyword("任务", "我的任务", "missions", "tasks"), Button("missions")])
async def missions(chat: Chat) -> None:
    """Every mission that is open to the member, with a bar for what is done."""
    await chat.member()
    found = (await chat.look(progress.of_member))[:_MOST]
    if not found:
        await chat.say("missions/none", buttons=[[Opens("badges"), Opens("check_in")]])
        return
    await chat.say("missions/shown", lines=[line for one in found for line in _lines(one)], buttons=[[Opens("badges")]])


@flow(
    "badges", starts=[Command("badges"), Keyword("徽章", "我的徽章", "勋章", "badges", "my badges"), Button("badges")]
)
async def badges(chat: Chat) -> None:
    """What the member has earned."""
    await chat.member()
    found = await chat.look(held.of_member)
    lines = [
        {
            "emoji": one.badge.emoji,
            "name": one.badge.name,
            "description": one.badge.description,
            "on": one.earned_at.date(),
        }
        for one in found
    ]
    await chat.say("missions/badges" if lines else "missions/no_badges", badges=lines, buttons=[[Opens("missions")]])


def _lines(one: Progress) -> list[dict[str, Any]]:
    """A mission, its steps and what it gives, one after the other: texts have no loops inside of loops."""
    mission, full, gives = one.mission, one.percent * _BAR // 100, one.mission.rewards
    head = {
        "part": "mission",
        "name": mission.name,
        "description": mission.description,
        "window": mission.window.value,
        "bar": "▓" * full + "░" * (_BAR - full),
        "percent": one.percent,
        "is_done": one.completed_at is not None,
    }
    steps = [
        {"part": "step", "event": step.event, "count": count, "of": step.count}
        for step, count in zip(mission.steps, one.counts, strict=True)
    ]
    gifts = {
        "part": "gifts",
        "points": gives.points,
        "has_coupon": gives.coupon_id is not None,
        "has_badge": gives.badge_id is not None,
        "chances": gives.draw_chances if gives.draw_id is not None else 0,
    }
    return [head, *steps, *([gifts] if any(value for key, value in gifts.items() if key != "part") else [])]
