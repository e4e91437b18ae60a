"""The code in the guides does what the guides say."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.contract import ChannelManifest
from crm.events.catalogue import OrderPlaced
from crm.kit.rules import Condition
from crm.points.kinds import RuleKind
from crm.profiles import service as profiles
from crm.webhooks import signing
from tests.factories.conditions import who_matches
from tests.factories.members import make_member

from .reading import fences, read

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def _run(page: str) -> dict[str, Any]:
    """What the first example of a guide defines."""
    defined: dict[str, Any] = {"__name__": "example"}
    exec(fences(read(page), "python")[0], defined)
    return defined


async def test_the_earning_rule(session: AsyncSession) -> None:
    rule = _run("docs/howto/add-a-earning-rule.md")["first_order"]
    assert isinstance(rule, RuleKind)
    parameters = rule.parameters.model_validate({"points": 50, "least_amount": 100})
    member = await make_member(session)
    await profiles.add_order(session, member.id, Decimal(100), NOW)
    first = await profiles.get(session, member.id)
    await profiles.add_order(session, member.id, Decimal(100), NOW)
    second = await profiles.get(session, member.id)
    assert rule.points(parameters, _order(member.id, "100"), first) == 50
    assert rule.points(parameters, _order(member.id, "99.99"), first) == 0
    assert rule.points(parameters, _order(member.id, "100"), second) == 0
    assert rule.explain(parameters, "en") == "Your first order: 50 points"


def _order(member_id: int, amount: str) -> OrderPlaced:
    return OrderPlaced(member_id=member_id, order_id=1, amount=Decimal(amount), currency="CNY", placed_at=NOW)


async def test_the_condition(session: AsyncSession) -> None:
    grade = _run("docs/howto/add-a-segment-condition.md")["grade"]
    assert isinstance(grade, Condition)
    members = {name: (await make_member(session)).id for name in ("high", "low", "unknown")}
    await profiles.record(session, members["high"], grade="high")
    await profiles.record(session, members["low"], grade="low")
    assert await who_matches(session, grade, members, grade="high") == "high"
    assert await who_matches(session, grade, members, grade="medium") == ""


def test_the_channel() -> None:
    manifest = _run("docs/howto/add-a-channel.md")["MANIFEST"]
    assert isinstance(manifest, ChannelManifest)
    assert manifest.name == manifest.traits.name == "line"
    assert (manifest.check_token is not None) == manifest.needs_token


def test_the_receiver_of_webhooks() -> None:
    is_genuine = _run("docs/howto/receive-webhooks.md")["is_genuine"]
    older, newer, other = (signing.new_secret() for _ in range(3))
    body, now = b'{"type":"checked_in"}', NOW.timestamp()
    headers = signing.headers([newer, older], UUID(int=7), NOW, body)
    assert is_genuine(newer, headers, body, now)
    assert is_genuine(older, headers, body, now + 299)
    assert not is_genuine(other, headers, body, now)
    assert not is_genuine(newer, headers, body + b" ", now)
    assert not is_genuine(newer, headers, body, now + 301)
    assert not is_genuine(newer, {**headers, "webhook-id": "8"}, body, now)
    assert not is_genuine(newer, {**headers, "webhook-timestamp": "soon"}, body, now)
    assert not is_genuine(newer, {}, body, now)
