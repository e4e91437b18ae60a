"""Replays: a rule tried on the past days gives what it would have given, beside what the live rules give."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db.session import Sessions
from crm.events import service as events
from crm.events.catalogue import CustomEvent
from crm.points import earning_rules, jobs, replaying, replays, service
from crm.points.checking import RuleText
from crm.points.errors import InvalidReplay, InvalidRule, ReplayEnded, ReplayNotFound, ReplaysBusy, RuleNotFound
from crm.points.replay_types import Replay, ReplayMember, ReplayStatus
from crm.points.terms import Over
from crm.points.types import EarningRule
from tests.conftest import At
from tests.factories.members import make_member

VISIT = {"points": 10, "event_name": "visit"}


def draft(terms: dict[str, Any] | None = None, **values: Any) -> RuleText:
    return RuleText("custom_event", "Tried", {**VISIT, **values}, None, None, terms or {})


async def _live(session: AsyncSession, terms: dict[str, Any] | None = None) -> EarningRule:
    return await earning_rules.create(session, kind="custom_event", name="Live", parameters=VISIT, terms=terms)


async def _visits(session: AsyncSession, at: At, days: list[str], *, people: int = 2) -> list[int]:
    found = [(await make_member(session)).id for _ in range(people)]
    for day in days:
        await at(session, f"{day}T04:00Z")
        for member_id in found:
            await events.publish(session, CustomEvent(member_id=member_id, name="visit"))
    return found


async def _run(sessions: Sessions, replay_id: int) -> Replay:
    await jobs.replay.run(sessions, {"replay_id": replay_id})
    async with sessions() as session:
        return await replays.get(session, replay_id)


async def test_who_would_have_earned_what(committed_sessions: Sessions, at: At) -> None:
    async with committed_sessions.begin() as session:
        await at(session, "2026-02-28T00:00Z")
        rule = await _live(session, {"caps": {"member_day": 15}})
        found = await _visits(session, at, ["2026-02-20", "2026-03-01", "2026-03-01", "2026-03-02"])
        await at(session, "2026-03-03T00:00Z")
        text_ = draft({"formula": "points + 1", "caps": {"member_day": 15}})
        begun = await replays.start(session, text_, days=5, by="operator:1", rule_id=rule.id)
        assert (begun.status, begun.total_events, begun.done_events) == (ReplayStatus.QUEUED, 6, 0)
    done = await _run(committed_sessions, begun.id)
    assert (done.status, done.done_events) == (ReplayStatus.DONE, 6)
    assert done.result is not None
    assert done.result["total"] == {"live": 50, "draft": 52, "difference": 2}
    assert done.result["members"] == {"live": 2, "draft": 2, "gaining": 2, "losing": 0}
    assert done.result["withheld"] == {"live": 10, "draft": 14}
    assert {"rule_id": rule.id, "name": "Tried", "kind": "custom_event", "live": 50, "draft": 52} == {
        name: value for name, value in done.result["rules"][0].items() if not name.endswith("awards")
    }
    assert [item for item in done.result["days"] if item["live"]] == [
        {"day": "2026-03-01", "live": 30, "draft": 30},
        {"day": "2026-03-02", "live": 20, "draft": 22},
    ]
    assert done.result["top"] == [{"member_id": one, "live": 25, "draft": 26} for one in found]
    async with committed_sessions() as session:
        page = await replays.members(session, begun.id, limit=1)
        rest = await replays.members(session, begun.id, cursor=page.next_cursor, limit=1)
        assert [*page.items, *rest.items] == [ReplayMember(one, 25, 26) for one in found]
        assert rest.next_cursor is None
        whole = "".join([part async for part in replays.as_csv(session, begun.id)])
        assert whole.splitlines()[1:] == [f"{one},25,26,1" for one in found]
        assert [await service.balance(session, one) for one in found] == [0, 0]


async def test_a_replay_tells_what_it_costs_and_forgets_the_members(committed_sessions: Sessions, at: At) -> None:
    async with committed_sessions.begin() as session:
        await brand.change(session, point_value=Decimal("0.125"))
        await at(session, "2026-02-28T00:00Z")
        await _visits(session, at, ["2026-03-01"])
        await at(session, "2026-03-03T00:00Z")
        begun = await replays.start(session, draft(), days=5, by="operator:1")
    done = await _run(committed_sessions, begun.id)
    assert done.result is not None
    assert done.result["value"] == {"live": "0.00", "draft": "2.50", "difference": "2.50", "currency": "CNY"}
    assert done.finished_at is not None
    async with committed_sessions.begin() as session:
        await at(session, (done.finished_at + timedelta(days=29)).isoformat())
        assert await replays.forget_old(session) == 0
        await at(session, (done.finished_at + timedelta(days=31)).isoformat())
        assert await replays.forget_old(session) == 2
        assert (await replays.members(session, begun.id)).items == []
        with pytest.raises(ReplayNotFound):
            await replays.members(session, begun.id + 1)


async def test_a_replay_agrees_with_what_is_awarded(
    committed_sessions: Sessions, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rules, awarded event by event and replayed in small batches, give the same points."""
    monkeypatch.setattr(replaying, "BATCH", 3)
    terms: list[dict[str, Any]] = [
        {"caps": {"member_week": 25, "rule_month": 140}, "priority": 2},
        {"group": "best", "formula": "now.weekday == 1 ? 7 : 2", "windows": [{"weekdays": [2], "multiplier": 2}]},
        {"group": "best", "formula": "3", "is_once": True},
    ]
    async with committed_sessions.begin() as session:
        await at(session, "2026-02-01T00:00Z")
        await earning_rules.set_budget(session, 200, Over.PARTIAL)
        for one in terms:
            await _live(session, one)
        days = [f"2026-03-{day:02}" for day in (1, 2, 3, 3, 4, 9, 10)]
        found = await _visits(session, at, days, people=5)
    async with committed_sessions.begin() as session:
        rows = await session.execute(text("SELECT id, occurred_at FROM events WHERE kind = 'custom' ORDER BY 2, 1"))
        for event_id, moment in rows.all():
            recorded = await events.find(session, event_id, moment)
            assert recorded is not None
            await service.award(session, recorded)
        awarded = [await service.balance(session, one) for one in found]
        await at(session, "2026-03-11T00:00Z")
        begun = await replays.start(session, draft({"when": "false"}), days=20, by="operator:1")
    done = await _run(committed_sessions, begun.id)
    assert done.result is not None
    assert {item["member_id"]: item["live"] for item in done.result["top"]} == dict(zip(found, awarded, strict=True))
    assert done.result["total"] == {"live": sum(awarded), "draft": sum(awarded), "difference": 0}
    assert sum(awarded) == 200


async def test_a_replay_goes_on_after_a_crash(
    committed_sessions: Sessions, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "BATCH", 2)
    async with committed_sessions.begin() as session:
        await at(session, "2026-02-28T00:00Z")
        await _visits(session, at, ["2026-03-01", "2026-03-02", "2026-03-03"])
        await at(session, "2026-03-04T00:00Z")
        begun = await replays.start(session, draft(), days=5, by="operator:1")
    real, calls = replaying._keep, list[int]()

    async def crash(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("the machine is off")
        await real(*arguments)

    monkeypatch.setattr(replaying, "_keep", crash)
    with pytest.raises(OSError, match="off"):
        await _run(committed_sessions, begun.id)
    async with committed_sessions() as session:
        assert (await replays.get(session, begun.id)).done_events == 2
    done = await _run(committed_sessions, begun.id)
    assert done.result is not None
    assert (done.done_events, done.result["total"]["draft"]) == (6, 60)
    assert await _run(committed_sessions, begun.id) == done


async def test_replays_are_refused_stopped_and_listed(session: AsyncSession) -> None:
    rule = await _live(session)
    for days in (0, -1, 367, 10**9):
        with pytest.raises(InvalidReplay, match="from 1 to 366 days"):
            await replays.start(session, draft(), days=days, by="operator:1")
    with pytest.raises(InvalidReplay, match="by hand"):
        await replays.start(session, RuleText("manual", "Gift", {"points": 1}), days=1, by="operator:1")
    with pytest.raises(InvalidRule, match=r"terms\.formula: for .*divides by zero"):
        await replays.start(session, draft({"formula": "1 / 0"}), days=1, by="operator:1")
    with pytest.raises(RuleNotFound):
        await replays.start(session, draft(), days=1, by="operator:1", rule_id=10**12)
    begun = [await replays.start(session, draft(), days=1, by="operator:1", rule_id=rule.id) for _ in range(5)]
    with pytest.raises(ReplaysBusy):
        await replays.start(session, draft(), days=1, by="operator:1")
    assert (await replays.cancel(session, begun[0].id)).status is ReplayStatus.CANCELLED
    with pytest.raises(ReplayEnded):
        await replays.cancel(session, begun[0].id)
    with pytest.raises(ReplayNotFound):
        await replays.cancel(session, 10**12)
    assert [item.id for item in await replays.listing(session, rule_id=rule.id)] == [one.id for one in reversed(begun)]
