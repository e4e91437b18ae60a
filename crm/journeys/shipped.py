"""The journeys that a new deployment starts with; operators change them, switch them on or off, or put them away."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.journeys import service, waiting
from crm.journeys.models import JourneyRow
from crm.journeys.registry import problems
from crm.journeys.triggers import AnyTrigger, DateProperty, DateTrigger, EventTrigger
from crm.journeys.types import Graph, JourneyStatus


@dataclass(frozen=True)
class Shipped:
    """One of them: its name, what starts it, its nodes, and whether it is on from the beginning."""

    name: str
    trigger: AnyTrigger
    graph: Graph
    is_on: bool


async def ensure_defaults(session: AsyncSession) -> int:
    """Insert those that were never inserted, whatever became of the others; answers how many. Harmless to repeat."""
    count = 0
    for key, item in SHIPPED.items():
        claim = insert(JourneyRow).values(name=item.name, shipped_key=key).on_conflict_do_nothing()
        journey_id = (await session.execute(claim.returning(JourneyRow.id))).scalar_one_or_none()
        if journey_id is None:
            continue
        count += 1
        await service.add_version(session, journey_id, 1, item.trigger, item.graph)
        if item.is_on and not await problems(session, item.graph, item.trigger):
            values = {"status": JourneyStatus.ACTIVE, "activated_at": await clock.now(session)}
            await session.execute(update(JourneyRow).where(JourneyRow.id == journey_id).values(values))
    if count:
        await waiting.renew(session)
    return count


def _graph(chinese: str, english: str, button: tuple[str, str, str] | None, **before: dict[str, Any]) -> Graph:
    """The nodes of `before` in their order, then the message, with a button (Chinese, English, what it opens)."""
    message: dict[str, Any] = {"text": {"zh-CN": chinese, "en": english}, "buttons": []}
    if button is not None:
        message["buttons"] = [[{"label": {"zh-CN": button[0], "en": button[1]}, "opens": button[2]}]]
    nodes: dict[str, Any] = {"send": {"kind": "send", "parameters": {"message": message, "topic": "news"}}}
    following = "send"
    for kind, parameters in reversed(before.items()):
        nodes[kind] = {"kind": kind, "parameters": parameters, "exits": {"next": following}}
        following = kind
    return Graph.model_validate({"start": following, "nodes": nodes})


def _points_expiring(days: int, rest_days: int) -> Shipped:
    return Shipped(
        f"Points run out: {days} days before" if days > 1 else "Points run out: the day before",
        EventTrigger(event="points_expiring", where={"days": days}, rest_days=rest_days),
        _graph(
            "⏳ {{ member.name }}，你有 <b>{{ trigger.points|number }}</b> 积分将于 {{ trigger.on|day }}到期，"
            "记得用掉哦。",
            "⏳ {{ member.name }}, <b>{{ trigger.points|number }}</b> of your points run out on {{ trigger.on|day }}."
            " Treat yourself in time!",
            _REWARDS,
            wait_until=_DAYTIME,
        ),
        is_on=True,
    )


def _voucher_expiring(days: int) -> Shipped:
    return Shipped(
        f"Voucher runs out: {days} days before" if days > 1 else "Voucher runs out: the day before",
        EventTrigger(event="voucher_expiring", where={"days": days}),
        _graph(
            "🎟 {{ member.name }}，你的「{{ trigger.coupon|localized }}」券 {{ trigger.on|day }}到期，别忘了使用。",
            "🎟 {{ member.name }}, your voucher “{{ trigger.coupon|localized }}” runs out on {{ trigger.on|day }}."
            " Don't forget it!",
            _VOUCHERS,
            wait_until=_DAYTIME,
        ),
        is_on=True,
    )


_DAYTIME: dict[str, Any] = {"at": "10:00", "until": "20:00"}
_REWARDS = ("兑换好礼", "See rewards", "rewards")
_VOUCHERS = ("我的券", "My vouchers", "vouchers")
_AT_RISK_ZH = (
    "📉 {{ member.name }}，在 {{ trigger.ends_at|day }}前再{% if trigger.measure == 'points' %}获得"
    " <b>{{ trigger.missing }}</b> 积分{% elif trigger.measure == 'orders' %}下"
    " <b>{{ trigger.missing }}</b> 单{% else %}消费 <b>{{ trigger.missing }}</b>{% endif %}，"
    "就能保住{{ trigger.tier_name|localized }}等级。"
)
_AT_RISK_EN = (
    "📉 {{ member.name }}, to stay {{ trigger.tier_name|localized }} you need"
    " <b>{{ trigger.missing }}</b> more {% if trigger.measure == 'points' %}points"
    "{% elif trigger.measure == 'orders' %}orders{% else %}in purchases{% endif %} by {{ trigger.ends_at|day }}."
)
SHIPPED: dict[str, Shipped] = {
    "birthday": Shipped(
        "Birthday: points and a greeting",
        DateTrigger(date=DateProperty.BIRTHDAY),
        _graph(
            "🎂 {{ member.name }}，生日快乐！{{ brand.name }} 送你 50 积分作为小礼物。",
            "🎂 Happy birthday, {{ member.name }}! {{ brand.name }} has put 50 points on your account"
            " as a little gift.",
            _REWARDS,
            give_points={"points": 50, "reason": "birthday"},
        ),
        is_on=False,
    ),
    "sign_up_anniversary": Shipped(
        "Anniversary of signing up",
        DateTrigger(date=DateProperty.SIGN_UP),
        _graph(
            "🎉 {{ member.name }}，今天是你成为我们会员的第 {{ trigger.years }} 个周年，谢谢你一直都在！",
            "🎉 {{ member.name }}, it is {{ trigger.years }} year{% if trigger.years != 1 %}s{% endif %} today since"
            " you became a member. Thank you for being with us!",
            None,
        ),
        is_on=False,
    ),
    "points_expiring_30": _points_expiring(30, 14),
    "points_expiring_7": _points_expiring(7, 3),
    "points_expiring_1": _points_expiring(1, 0),
    "voucher_expiring_7": _voucher_expiring(7),
    "voucher_expiring_1": _voucher_expiring(1),
    "tier_at_risk": Shipped(
        "Tier at risk",
        EventTrigger(event="tier_at_risk"),
        _graph(_AT_RISK_ZH, _AT_RISK_EN, ("我的等级", "My tier", "tier"), wait_until=_DAYTIME),
        is_on=True,
    ),
}
"""By key."""
