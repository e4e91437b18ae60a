"""In the safe mode nothing goes out that nobody asked for now; afterwards an operator decides on what was held."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import launching
from crm.campaigns import service as campaigns
from crm.campaigns.types import CampaignStatus
from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import restored
from crm.deliveries import service as deliveries
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import Unpaced
from crm.deliveries.sending import send_due
from crm.deliveries.testing import FakeSender
from crm.journeys.advancing import advance_due
from crm.journeys.enrolling import enroll_signed_up
from crm.kit.ids import uuid7
from crm.members.types import Contact
from crm.messages.types import Outbound
from crm.recovery import service
from crm.recovery.errors import AlreadyInSafeModeError, NotInSafeModeError
from crm.recovery.types import Backup
from tests.conftest import At
from tests.factories.campaigns import make_campaign, make_segment
from tests.factories.deliveries import ID, KIND, desk, figures, launch
from tests.factories.journeys import make_journey, welcome
from tests.factories.members import make_contact, make_member
from tests.factories.recovery import BACKUP_AT, enter_safe_mode


async def _answer(sessions: Sessions, contact: Contact, words: str) -> None:
    async with sessions.begin() as session:
        source = ("update", str(uuid7(await clock.now(session))))
        await deliveries.replies(session, contact.identity, source, [Outbound(words)])


async def test_it_is_on_until_it_is_ended_once(session: AsyncSession) -> None:
    assert await service.is_on(session) is False
    with pytest.raises(NotInSafeModeError, match="sending already"):
        await restored.resume_sending(session, by="operator:1")
    await enter_safe_mode(session)
    found = await service.current(session)
    assert found is not None
    assert (found.backup_made_at, found.last_reply) == (BACKUP_AT, 0)
    assert await restored.resume_sending(session, by="operator:1") == restored.Resumed(0, 0)
    assert await service.is_on(session) is False
    with pytest.raises(NotInSafeModeError):
        await restored.resume_sending(session, by="operator:1")


async def test_it_can_be_begun_by_hand_once(session: AsyncSession) -> None:
    await service.start(session)
    assert await service.is_on(session) is True
    with pytest.raises(AlreadyInSafeModeError, match="siyu resume-sending"):
        await service.start(session)


async def test_a_restore_of_a_backup_made_in_safe_mode_begins_anew(session: AsyncSession) -> None:
    await enter_safe_mode(session)
    await enter_safe_mode(session)
    rows = await session.execute(text("SELECT ended_by FROM safe_mode ORDER BY id"))
    assert [row.ended_by for row in rows] == ["restore", None]


async def test_queued_broadcasts_wait_and_become_uncertain(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 5)
    async with committed_sessions.begin() as session:
        await enter_safe_mode(session)
    sender = FakeSender()
    await send_due(desk(committed_sessions, sender))
    assert sender.sent == []
    async with committed_sessions.begin() as session:
        assert await restored.resume_sending(session, by="cli") == restored.Resumed(0, 5)
    await send_due(desk(committed_sessions, sender))
    assert sender.sent == [], "they may have been sent after the backup: nobody can know"
    assert await figures(committed_sessions) == {"uncertain": 5}
    async with committed_sessions.begin() as session:
        assert await deliveries.resend_uncertain(session, KIND, ID) == 5
    await send_due(desk(committed_sessions, sender))
    assert len(sender.sent) == 5


async def test_what_was_sent_before_the_backup_stays_sent(committed_sessions: Sessions) -> None:
    await launch(committed_sessions, 3)
    await send_due(desk(committed_sessions, FakeSender()))
    async with committed_sessions.begin() as session:
        await enter_safe_mode(session)
        assert await restored.resume_sending(session, by="cli") == restored.Resumed(0, 0)
    assert await figures(committed_sessions) == {"sent": 3}


async def test_new_conversations_are_answered_past_the_replies_that_wait(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        contact = await make_contact(session, address="42")
    await _answer(committed_sessions, contact, "from before")
    async with committed_sessions.begin() as session:
        await enter_safe_mode(session)
        await session.execute(text("UPDATE delivery_replies SET due_at = due_at - interval '1 hour'"))
    sender = FakeSender()
    lane = InteractiveLane(committed_sessions, Unpaced(), {sender.name: sender})
    assert await lane.sweep() == 0
    await _answer(committed_sessions, contact, "from now")
    async with committed_sessions.begin() as session:
        await session.execute(text("UPDATE delivery_replies SET due_at = due_at - interval '1 hour'"))
    assert await lane.sweep() == 1
    assert [item.message.text_html for item in sender.sent] == ["from now"]
    async with committed_sessions.begin() as session:
        assert await restored.resume_sending(session, by="cli") == restored.Resumed(1, 0)
        states = await session.execute(text("SELECT state, reason FROM delivery_states ORDER BY state"))
        assert [tuple(row) for row in states] == [("sent", None), ("uncertain", "restored")]
    assert await lane.sweep() == 0
    assert len(sender.sent) == 1


async def test_campaigns_wait_and_are_missed_when_it_took_too_long(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    await make_member(session)
    planned = await make_campaign(session, max_lateness_minutes=60)
    await launching.launch(session, planned.id, by="operator:1", at=await clock.now(session) + timedelta(hours=4))
    launched = await make_campaign(session, max_lateness_minutes=60)
    await launching.launch(session, launched.id, by="operator:1")
    await enter_safe_mode(session)
    await at(session, "2026-03-01T14:00+08:00")
    assert await launching.start_due(session) == 0
    assert await launching.start_left_over(session) == 0
    assert await launching.start(session, launched.id) is False
    await restored.resume_sending(session, by="operator:1")
    assert await launching.start_due(session) == 1
    assert await launching.start_left_over(session) == 1
    for campaign_id in (planned.id, launched.id):
        found = await campaigns.get(session, campaign_id)
        assert (found.status, found.held_reason) == (CampaignStatus.SCHEDULED, "missed")
    again = await launching.launch(session, launched.id, by="operator:1")
    assert again.status is CampaignStatus.RUNNING
    assert await launching.start_left_over(session) == 1
    assert (await campaigns.get(session, launched.id)).started_at is not None


async def test_nobody_moves_on_in_a_journey(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    await make_journey(session, welcome(await make_segment(session)))
    await enroll_signed_up(session, member.id)
    await enter_safe_mode(session)
    assert await advance_due(session) == 0
    await restored.resume_sending(session, by="operator:1")
    assert await advance_due(session) == 1


async def test_backups_are_remembered(session: AsyncSession) -> None:
    assert await service.last_backup(session) is None
    older = Backup(BACKUP_AT, "older.backup", 10, "00")
    newer = Backup(BACKUP_AT + timedelta(days=1), "newer.backup", 11, "01")
    for backup in (newer, older):
        await service.note_backup(session, backup)
    assert await service.last_backup(session) == newer
