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
    await chat.say("missions/shown", missions=[_of_progress(one) for one in found], buttons=[[Opens("badges")]])


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


def _of_progress(one: Progress) -> dict[str, Any]:
    mission, full = one.mission, one.percent * _BAR // 100
    return {
        "name": mission.name,
        "description": mission.description,
        "window": mission.window.value,
        "bar": "▓" * full + "░" * (_BAR - full),
        "percent": one.percent,
        "is_done": one.completed_at is not None,
        "points": mission.rewards.points,
        "gives": [
            name
            for name, given in (
                ("coupon", mission.rewards.coupon_id),
                ("badge", mission.rewards.badge_id),
                ("chances", mission.rewards.draw_id),
            )
            if given is not None
        ],
        "chances": mission.rewards.draw_chances,
        "steps": [
            {"event": step.event, "count": count, "of": step.count}
            for step, count in zip(mission.steps, one.counts, strict=True)
        ],
    }
