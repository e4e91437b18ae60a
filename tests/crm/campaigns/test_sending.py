"""Campaigns through a real sender: once each, paused, resumed, cancelled, finished; figures equal the rows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm.campaigns import launching, service, test_sends
from crm.campaigns.errors import AlreadyLaunchedError, InvalidCampaignError, NoTestRecipientError
from crm.campaigns.jobs import start_campaign, start_due_campaigns
from crm.campaigns.types import CampaignStatus
from crm.consent import service as consent
from crm.db import clock
from crm.db.session import Sessions
from crm.deliveries import service as deliveries
from crm.deliveries import sources
from crm.deliveries.policy import CONTENT_ERRORS_TO_PAUSE
from crm.deliveries.testing import FakeSender
from crm.deliveries.types import ContentRejected, Lane, MessageClass, Reason
from crm.events.relay import relay_all
from crm.members import service as members
from crm.messages.types import ChannelTraits
from crm.operators import chats
from runtime.taps import TAPS
from tests.factories.campaigns import BUTTONS, content, make_campaign, send_until, states
from tests.factories.deliveries import Audience, make_audience
from tests.factories.operators import make_operator

BY = "operator:1"


async def _launched(sessions: Sessions, size: int, **more: Any) -> tuple[int, Audience]:
    """A campaign to `size` members whose deliveries are made."""
    async with sessions.begin() as session:
        audience = await make_audience(session, size)
        campaign = await make_campaign(session, **more)
        await launching.launch(session, campaign.id, by=BY)
    await start_campaign.run(sessions, {"campaign_id": campaign.id})
    return campaign.id, audience


async def _status(sessions: Sessions, campaign_id: int) -> CampaignStatus:
    async with sessions.begin() as session:
        return (await service.get(session, campaign_id)).status


async def _close(sessions: Sessions) -> None:
    """What the ticks and the relay do after the last delivery."""
    async with sessions.begin() as session:
        await sources.finish_due(session)
    await relay_all(sessions)


async def test_two_launches_at_once_are_one(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await make_audience(session, 3)
        campaign = await make_campaign(session)

    async def launch(by: int) -> bool:
        try:
            async with committed_sessions.begin() as session:
                await launching.launch(session, campaign.id, by=f"operator:{by}")
        except AlreadyLaunchedError:
            return False
        return True

    assert sorted(await asyncio.gather(*(launch(number) for number in range(4)))) == [False] * 3 + [True]
    starts = [start_campaign.run(committed_sessions, {"campaign_id": campaign.id}) for _ in range(4)]
    await asyncio.gather(*starts, *(start_due_campaigns.run(committed_sessions) for _ in range(4)))
    assert await states(committed_sessions, campaign.id) == {"queued": 3}


async def test_everyone_gets_it_once_and_it_finishes(committed_sessions: Sessions, valkey_url: str) -> None:
    campaign_id, audience = await _launched(committed_sessions, 30, message=content(buttons=BUTTONS))
    async with committed_sessions.begin() as session:
        await consent.withdraw_all(session, audience.contacts[0].member.id, source="test")
        await members.set_reachable(session, audience.contacts[1].identity.id, False, "blocked")
    sender = FakeSender()
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) == 28)
    await _close(committed_sessions)
    assert sorted(sender.addresses()) == sorted(audience.addresses[2:])
    assert {item.lane for item in sender.sent} == {Lane.BULK}
    message = sender.sent[0].message
    assert message.text_html == "Hello Li Hua"
    assert [button.data for row in message.buttons for button in row] == [None, f"1:c:{campaign_id}:1.0"]
    assert await states(committed_sessions, campaign_id) == {"sent": 28, "suppressed": 2}
    async with committed_sessions.begin() as session:
        progress = await service.progress(session, campaign_id)
    assert progress.counts.suppressed == {Reason.NO_CONSENT: 1, Reason.UNREACHABLE: 1}
    assert (progress.campaign.status, progress.campaign.audience_size) == (CampaignStatus.FINISHED, 30)
    assert progress.campaign.finished_at is not None


async def test_a_pause_stops_and_a_resume_goes_on(committed_sessions: Sessions, valkey_url: str) -> None:
    campaign_id, audience = await _launched(committed_sessions, 60)
    gate, is_paused = asyncio.Event(), asyncio.Event()
    sender = FakeSender(gate=gate)
    sending = asyncio.create_task(send_until(committed_sessions, valkey_url, sender, is_paused.is_set))
    while not sender.sent:  # noqa: ASYNC110 - the fake is watched from outside
        await asyncio.sleep(0.001)
    async with committed_sessions.begin() as session:
        await launching.pause(session, campaign_id)
    gate.set()
    is_paused.set()
    await sending
    await relay_all(committed_sessions)
    taken = len(sender.sent)
    assert 0 < taken <= 25, "a group that was begun is finished"
    assert await _status(committed_sessions, campaign_id) is CampaignStatus.PAUSED
    async with committed_sessions.begin() as session:
        assert (await launching.resume(session, campaign_id)).status is CampaignStatus.RUNNING
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) >= 60)
    await _close(committed_sessions)
    assert sorted(sender.addresses()) == sorted(audience.addresses)
    assert await states(committed_sessions, campaign_id) == {"sent": 60}
    assert await _status(committed_sessions, campaign_id) is CampaignStatus.FINISHED


async def test_a_cancelled_campaign_sends_nothing_more(committed_sessions: Sessions, valkey_url: str) -> None:
    campaign_id, _ = await _launched(committed_sessions, 5)
    other_id, audience = await _launched(committed_sessions, 2, words="Other")
    async with committed_sessions.begin() as session:
        await launching.cancel(session, campaign_id)
    sender = FakeSender()
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) >= 7)
    await _close(committed_sessions)
    assert {item.message.text_html for item in sender.sent} == {"Other"}
    assert await states(committed_sessions, campaign_id) == {"cancelled": 5}
    assert await _status(committed_sessions, campaign_id) is CampaignStatus.CANCELLED
    assert await _status(committed_sessions, other_id) is CampaignStatus.FINISHED
    assert len(audience.contacts) == 2


async def test_a_pause_that_comes_after_the_last_one_still_ends(committed_sessions: Sessions, valkey_url: str) -> None:
    """The sender is done, yet nobody has told the campaign: pausing then must not keep it open for ever."""
    campaign_id, _ = await _launched(committed_sessions, 2)
    sender = FakeSender()
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) == 2)
    async with committed_sessions.begin() as session:
        await sources.finish_due(session)
        await launching.pause(session, campaign_id)
    await relay_all(committed_sessions)
    assert await _status(committed_sessions, campaign_id) is CampaignStatus.FINISHED


async def test_a_resume_after_the_last_one_is_the_end(committed_sessions: Sessions, valkey_url: str) -> None:
    campaign_id, _ = await _launched(committed_sessions, 2)
    sender = FakeSender()
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) == 2)
    async with committed_sessions.begin() as session:
        await sources.finish_due(session)
        await launching.pause(session, campaign_id)
        assert (await launching.resume(session, campaign_id)).status is CampaignStatus.FINISHED


async def test_many_content_errors_pause_it_with_the_reason(committed_sessions: Sessions, valkey_url: str) -> None:
    campaign_id, _ = await _launched(committed_sessions, CONTENT_ERRORS_TO_PAUSE + 15)
    sender = FakeSender(answer=lambda _address, _call: ContentRejected("can't parse entities"))
    await send_until(committed_sessions, valkey_url, sender, lambda: sender.calls >= CONTENT_ERRORS_TO_PAUSE)
    await relay_all(committed_sessions)
    async with committed_sessions.begin() as session:
        paused = await service.get(session, campaign_id)
    assert (paused.status, paused.held_reason) == (CampaignStatus.PAUSED, Reason.CONTENT)
    found = await states(committed_sessions, campaign_id)
    assert found["failed"] >= CONTENT_ERRORS_TO_PAUSE
    assert sum(found.values()) == CONTENT_ERRORS_TO_PAUSE + 15


async def test_a_pause_that_ends_by_itself_needs_nobody(committed_sessions: Sessions) -> None:
    campaign_id, _ = await _launched(committed_sessions, 2)
    async with committed_sessions.begin() as session:
        until = await clock.now(session) + timedelta(hours=3)
        await deliveries.pause(session, service.SOURCE, campaign_id, reason=Reason.THROTTLED, until=until)
    await relay_all(committed_sessions)
    assert await _status(committed_sessions, campaign_id) is CampaignStatus.RUNNING
    async with committed_sessions.begin() as session:
        progress = await service.progress(session, campaign_id)
    assert progress.broadcast is not None
    assert progress.broadcast.resumes_at == until


async def test_an_audience_that_is_gone_by_the_start_is_the_end(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await make_audience(session, 1)
        campaign = await make_campaign(session)
        await launching.launch(session, campaign.id, by=BY)
        await session.execute(text("UPDATE profiles SET locale = 'zh-CN'"))
    await start_campaign.run(committed_sessions, {"campaign_id": campaign.id})
    await _close(committed_sessions)
    async with committed_sessions.begin() as session:
        ended = await service.get(session, campaign.id)
    assert (ended.status, ended.audience_size) == (CampaignStatus.FINISHED, 0)


async def test_a_receipt_goes_out_without_consent(committed_sessions: Sessions, valkey_url: str) -> None:
    async with committed_sessions.begin() as session:
        await make_audience(session, 2, has_consent=False)
        campaign = await make_campaign(session, message_class=MessageClass.RECEIPT)
        await launching.launch(session, campaign.id, by=BY)
    await start_campaign.run(committed_sessions, {"campaign_id": campaign.id})
    sender = FakeSender()
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) == 2)
    assert await states(committed_sessions, campaign.id) == {"sent": 2}


async def test_taps_of_buttons_are_resolved_by_what_was_sent(committed_sessions: Sessions) -> None:
    campaign_id, _ = await _launched(committed_sessions, 1, message=content(buttons=BUTTONS))
    async with committed_sessions.begin() as session:
        spec = await TAPS["c"](session, str(campaign_id), "1.0")
        assert spec is not None
        assert (spec.opens, spec.tag) == ("survey:nps", "keen")
        for ref in ("²", "", "x", "9" * 40, "-1", f"{campaign_id}.0"):
            assert await TAPS["c"](session, ref, "1.0") is None


async def test_a_test_goes_to_the_operators_own_chats(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        audience = await make_audience(session, 2)
        campaign = await make_campaign(session)
        operator = await make_operator(session)
        with pytest.raises(NoTestRecipientError):
            await test_sends.send_campaign(session, campaign.id, operator_id=operator.id)
        mine = audience.contacts[0]
        code = (await chats.issue_code(session, operator.id)).code
        await chats.redeem_code(session, mine.member.id, code, identity_id=mine.identity.id)
        first = await test_sends.send_campaign(session, campaign.id, operator_id=operator.id)
        again = await test_sends.send_campaign(session, campaign.id, operator_id=operator.id)
    assert first.identity_ids == [mine.identity.id]
    assert len({*first.delivery_ids, *again.delivery_ids}) == 2
    assert await _status(committed_sessions, campaign.id) is CampaignStatus.DRAFT


async def test_a_paid_campaign_pauses_at_its_cap(committed_sessions: Sessions, valkey_url: str) -> None:
    async with committed_sessions.begin() as session:
        await make_audience(session, 25)
        campaign = await make_campaign(session)
        await launching.launch(session, campaign.id, by=BY, stars_cap=1)
    await start_campaign.run(committed_sessions, {"campaign_id": campaign.id})
    sender = FakeSender(traits=ChannelTraits("telegram", paid_rate=1000.0))
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) == 10)
    await relay_all(committed_sessions)
    assert await _status(committed_sessions, campaign.id) is CampaignStatus.PAUSED
    for wrong in (None, 1):
        with pytest.raises(InvalidCampaignError, match="Stars are spent"):
            async with committed_sessions.begin() as session:
                await launching.resume(session, campaign.id, stars_cap=wrong)
    async with committed_sessions.begin() as session:
        resumed = await launching.resume(session, campaign.id, stars_cap=0)
    assert (resumed.status, resumed.stars_cap) == (CampaignStatus.RUNNING, None)
    await send_until(committed_sessions, valkey_url, sender, lambda: len(sender.sent) == 25)
    assert [item.lane for item in sender.sent].count(Lane.PAID) == 10
    await _close(committed_sessions)
    assert await _status(committed_sessions, campaign.id) is CampaignStatus.FINISHED


async def test_only_a_paid_campaign_has_a_cap_to_raise(committed_sessions: Sessions) -> None:
    campaign_id, _ = await _launched(committed_sessions, 2)
    async with committed_sessions.begin() as session:
        await launching.pause(session, campaign_id)
        with pytest.raises(InvalidCampaignError, match="without paid sending"):
            await launching.resume(session, campaign_id, stars_cap=5)
