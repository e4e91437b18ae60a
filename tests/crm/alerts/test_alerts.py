"""Alerts open once, announce themselves once, and end with their cause."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import beats, service, watching
from crm.alerts.errors import AlertNotFound, AlertResolved
from crm.alerts.types import SEVERITIES, AlertKind, Finding, Severity
from crm.alerts.watching import Watch
from crm.db.session import Sessions
from tests.conftest import At

BOT = AlertKind.BOT_REFUSED


async def _told(session: AsyncSession, kind: str = "alert_raised") -> int:
    query = text("SELECT count(*) FROM events WHERE kind = :kind")
    return int((await session.execute(query, {"kind": kind})).scalar_one())


def test_every_kind_has_a_severity() -> None:
    assert set(SEVERITIES) == set(AlertKind)


async def test_opens_once_and_announces_once(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    await service.raise_alert(session, BOT, "3", "The token is refused.")
    await service.raise_alert(session, BOT, "3", "The token is refused.")
    await at(session, "2026-03-01T08:01+08:00")
    await service.raise_alert(session, BOT, "3", "Still \x00refused.")
    await service.raise_alert(session, BOT, "4", "Another one.")
    other, found = await service.listing(session)
    assert (found.kind, found.subject, found.severity, found.times) == ("bot_refused", "3", Severity.CRITICAL, 2)
    assert found.detail == "Still refused."
    assert found.last_seen_at > found.opened_at
    assert other.subject == "4"
    assert await _told(session) == 2


async def test_ends_and_may_begin_anew(session: AsyncSession) -> None:
    await service.raise_alert(session, BOT, "3", "The token is refused.")
    assert await service.resolve(session, BOT, "3")
    assert not await service.resolve(session, BOT, "3")
    assert not await service.resolve(session, BOT, "4")
    assert await service.listing(session) == []
    await service.raise_alert(session, BOT, "3", "Again.")
    assert [alert.detail for alert in await service.listing(session)] == ["Again."]
    assert [alert.detail for alert in await service.listing(session, is_open=False)] == ["The token is refused."]
    assert (await _told(session), await _told(session, "alert_resolved")) == (2, 1)


async def test_acknowledged_alerts_stay_open_and_leave_the_bell(session: AsyncSession) -> None:
    await service.raise_alert(session, BOT, "3", "The token is refused.")
    (found,) = await service.listing(session)
    assert await service.count_open(session) == 1
    assert (await service.acknowledge(session, found.id, "operator:1")).acknowledged_by == "operator:1"
    assert (await service.acknowledge(session, found.id, "operator:2")).acknowledged_by == "operator:1"
    assert await service.count_open(session) == 0
    assert await service.open_by_kind(session) == {"bot_refused": 1}
    await service.resolve(session, BOT, "3")
    with pytest.raises(AlertResolved):
        await service.acknowledge(session, found.id, "operator:2")
    with pytest.raises(AlertNotFound):
        await service.acknowledge(session, 999_999, "operator:2")


async def test_raised_by_many_at_once_there_is_one(committed_sessions: Sessions) -> None:
    async def trouble() -> None:
        async with committed_sessions.begin() as session:
            await service.raise_alert(session, BOT, "3", "The token is refused.")

    await asyncio.gather(*(trouble() for _ in range(20)))
    async with committed_sessions() as session:
        assert len(await service.listing(session)) == 1
        assert await _told(session) == 1


async def test_a_watch_opens_and_resolves_and_does_not_stop_the_others(sessions: Sessions) -> None:
    wrong = {"a": "A is wrong."}

    async def find(_: AsyncSession, known: frozenset[str]) -> list[Finding]:
        seen.append(known)
        return [Finding(*item) for item in wrong.items()]

    async def fail(_: AsyncSession, __: frozenset[str]) -> list[Finding]:
        raise ValueError

    seen: list[frozenset[str]] = []
    watches = [Watch(AlertKind.SAFE_MODE, fail), Watch(BOT, find)]
    await watching.look(sessions, watches)
    wrong["b"] = "B is wrong."
    del wrong["a"]
    await watching.look(sessions, watches)
    async with sessions() as session:
        assert [alert.subject for alert in await service.listing(session)] == ["b"]
        assert [alert.subject for alert in await service.listing(session, is_open=False)] == ["a"]
    assert seen == [frozenset(), frozenset({"a"})]


async def test_a_watch_leaves_the_subjects_of_others_alone(session: AsyncSession) -> None:
    async def none(_: AsyncSession, __: frozenset[str]) -> list[Finding]:
        return []

    for subject in ("updates", "jobs"):
        await service.raise_alert(session, AlertKind.DEAD_LETTERS, subject, "There are some.")
    await watching.apply(session, Watch(AlertKind.DEAD_LETTERS, none, frozenset({"jobs"})))
    assert [alert.subject for alert in await service.listing(session)] == ["updates"]


async def test_a_silent_part_is_noticed_by_the_others(session: AsyncSession) -> None:
    api, worker = uuid4(), uuid4()
    await beats.beat(session, api, ["api"])
    assert await beats.judge(session) == []  # too early to say
    await session.execute(text("UPDATE process_beats SET started_at = started_at - interval '5 minutes'"))
    await beats.beat(session, worker, ["worker", "sender", "scheduler"])
    assert await beats.judge(session) == []
    late = text("UPDATE process_beats SET beaten_at = beaten_at - interval '2 minutes' WHERE instance = :instance")
    await session.execute(late, {"instance": worker})
    assert await beats.judge(session) == ["scheduler", "sender", "worker"]
    assert {alert.subject for alert in await service.listing(session)} == {"scheduler", "sender", "worker"}
    await beats.beat(session, worker, ["worker", "sender", "scheduler"])
    assert await beats.judge(session) == []
    assert await service.listing(session) == []
    await beats.leave(session, worker)
    assert await beats.judge(session) == ["scheduler", "sender", "worker"]
    assert await beats.running(session) == [(api, ("api",))]
