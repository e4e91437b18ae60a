"""Rows 13, 14 and 15: server errors, answers that never come, and a provider that cannot be reached."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.chaos.broadcasts import Campaign
from tests.chaos.crowd import Crowd
from tests.chaos.evidence import Evidence
from tests.chaos.fleet import STANDARD
from tests.chaos.proxy import ChaosProxy, Manner
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 600.0
_OWN_SERVER = "UPDATE bots SET settings = settings || jsonb_build_object('api_base', $2::text) WHERE id = $1"


@dataclass(frozen=True)
class Pair:
    """The same broadcast twice: one is held in doubt, the other repeated."""

    crowds: tuple[Crowd, Crowd]
    campaigns: tuple[Campaign, Campaign]

    async def finished(self, stage: Stage) -> tuple[Evidence, Evidence]:
        """What became of both."""
        for campaign in self.campaigns:
            await campaign.until("finished", within=WITHIN)
        held, repeated = [
            await stage.evidence(crowd, campaign) for crowd, campaign in zip(self.crowds, self.campaigns, strict=True)
        ]
        return held, repeated


async def _launched(stage: Stage, name: str, size: int) -> Pair:
    held, repeated = await stage.crowd(f"{name}_held", size), await stage.crowd(f"{name}_repeated", size)
    return Pair(
        (held, repeated),
        (
            await stage.launched(held, message_class="marketing"),
            await stage.launched(repeated, message_class="receipt"),
        ),
    )


def _struck(stage: Stage, crowd: Crowd, status: int) -> int:
    return sum(call["status"] == status for call in stage.telegram.calls(crowd.telegram_id))


@pytest.mark.chaos_row(13)
async def test_server_errors(row: Row, stage: Stage) -> None:
    """A server error leaves open whether the message was taken."""
    row.plan(
        "5xx for 30 % of the calls",
        done=f"hold and resend, {SIZES.crowd:,} recipients each",
        expected="hold: uncertain = errors, copies 0; resend: tried once more, then uncertain; lost 0",
        factor="rate x40",
    )
    await stage.fleet.have(*STANDARD)
    await stage.telegram.client.add_fault("server_error", method="sendMessage", status=502, probability=0.3)
    pair = await _launched(stage, "errors", SIZES.crowd)
    held, repeated = await pair.finished(stage)
    errors = [_struck(stage, crowd, 502) for crowd in pair.crowds]
    row.saw(f"hold: {errors[0]} errors, {held}; resend: {errors[1]} errors, {repeated}")
    assert errors[0] > 0
    assert held.uncertain == errors[0]
    assert repeated.uncertain < errors[1]
    twice = [attempts for attempts in repeated.attempts.values() if attempts > 1]
    assert len(twice) + repeated.uncertain == errors[1]
    assert max(repeated.attempts.values()) == 2
    for found in (held, repeated):
        assert (found.lost, found.copies, found.unwanted) == (0, 0, 0)
        assert found.states["sent"] + found.uncertain == found.size
        assert found.is_counted_right


@pytest.mark.chaos_row(14)
async def test_answers_never_come(row: Row, stage: Stage) -> None:
    """The message is there, the connection is not."""
    seconds = 60.0 if SIZES.is_full else 0.5
    row.plan(
        "no answer after the message was taken",
        done=f"every 7th call of {SIZES.storm * 2} recipients each, hold and resend",
        expected="hold: no second copy; resend: at most one more, with the same reference number",
        factor="rate x40" if SIZES.is_full else "rate x40, waiting for the answer /60",
    )
    await stage.fleet.have(*STANDARD)
    await stage.telegram.client.add_fault("timeout_after_accept", method="sendMessage", every=7, seconds=seconds)
    pair = await _launched(stage, "silence", SIZES.storm * 2)
    held, repeated = await pair.finished(stage)
    cut = [_struck(stage, crowd, 0) for crowd in pair.crowds]
    texts = stage.telegram.accepted(pair.crowds[1].telegram_id)
    copies = [said for said in texts.values() if len(said) > 1]
    row.saw(f"hold: {cut[0]} cut, {held}; resend: {cut[1]} cut, {repeated}, {len(copies)} pairs with one reference")
    assert min(cut) > 0
    assert (held.copies, held.uncertain) == (0, cut[0])
    assert all(len(set(said)) == 1 and "Ref. " in said[0] for said in copies)
    assert max(len(said) for said in texts.values()) <= 2
    assert repeated.copies == len(copies)
    for found in (held, repeated):
        assert (found.lost, found.unwanted) == (0, 0)
        assert found.is_counted_right


@pytest.mark.chaos_row(15)
async def test_provider_refuses_connections(row: Row, stage: Stage) -> None:
    """Nothing was written, so it is safe to try again."""
    row.plan(
        "connection refused",
        done=f"while {SIZES.crowd:,} recipients wait, until 10 were tried",
        expected="retried, 0 uncertain, lost 0, copies 0",
        factor="rate x8",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("refused", SIZES.crowd, rate=200)
    parts = urlsplit(stage.telegram.server.base_url)
    async with ChaosProxy((str(parts.hostname), int(parts.port or 0))) as proxy:
        await stage.database.execute(_OWN_SERVER, crowd.bot_id, proxy.address(stage.telegram.server.base_url))
        await proxy.switch(Manner.REFUSE)
        campaign = await stage.launched(crowd)
        tried = await _tried(stage, campaign)
        await proxy.switch(Manner.PASS)
        await campaign.until("finished", within=WITHIN)
        found = await stage.evidence(crowd, campaign)
    row.saw(f"{tried} calls refused before it came back, at most {max(found.attempts.values())} attempts; {found}")
    assert (found.lost, found.copies, found.uncertain) == (0, 0, 0)
    assert found.taken_in_all + found.states["failed"] == crowd.size
    assert found.states["failed"] == 0
    assert found.is_counted_right


async def _tried(stage: Stage, campaign: Campaign) -> int:
    """Wait until some were refused a connection."""
    query = """
        SELECT count(*) FROM delivery_states
        WHERE source_kind = 'campaign' AND source_id = $1 AND state = 'queued' AND attempts > 0
    """
    tried = 0
    while tried < 10:
        tried = int(await stage.database.fetchval(query, str(campaign.id)))
        await asyncio.sleep(0.1)
    return tried
