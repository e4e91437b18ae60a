"""Bots: secrets at rest, look-ups, pausing and stopping."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service
from crm.bots.errors import BotNotFound, InvalidBot, TokenTaken
from crm.bots.types import BotStatus
from tests.factories.bots import make_bot

TOKEN = "7000001:AAF-secret-token-value"


async def test_a_token_is_sealed_at_rest_and_opens_for_its_bot(session: AsyncSession) -> None:
    bot = await service.add(session, channel="telegram", name="Tea house", token=TOKEN)
    path = await service.webhook_path_secret(session, bot.id)
    secret = await service.webhook_secret(session, bot.id)
    dump = (await session.execute(text("SELECT bots::text FROM bots"))).scalar_one()
    for plain in (TOKEN, path, secret):
        assert plain not in dump
        assert plain.encode().hex() not in dump
    assert bot.has_token
    assert await service.token(session, bot.id) == TOKEN


async def test_each_bot_has_a_path_of_its_own_by_which_it_is_found(session: AsyncSession) -> None:
    one = await service.add(session, channel="telegram", name="One", token=None)
    two = await service.add(session, channel="telegram", name="Two", token=None)
    found = await service.find_by_path(session, await service.webhook_path_secret(session, two.id))
    assert found == two
    assert await service.webhook_secret(session, one.id) != await service.webhook_secret(session, two.id)
    assert await service.find_by_path(session, "guess") is None


async def test_one_token_belongs_to_one_bot(session: AsyncSession) -> None:
    bot = await service.add(session, channel="telegram", name="One", token=TOKEN)
    with pytest.raises(TokenTaken):
        await service.add(session, channel="telegram", name="Two", token=TOKEN)
    assert (await service.change(session, bot.id, token=TOKEN)).has_token


@pytest.mark.parametrize("token", ["", "  ", "with\nline", "中文", "x" * 513])
async def test_a_senseless_token_is_refused(session: AsyncSession, token: str) -> None:
    with pytest.raises(InvalidBot):
        await service.add(session, channel="telegram", name="One", token=token)


async def test_a_pause_is_only_made_longer(session: AsyncSession) -> None:
    bot = await service.add(session, channel="telegram", name="One", token=None)
    until = datetime(2026, 3, 1, tzinfo=UTC)
    await service.pause_bulk(session, bot.id, until)
    await service.pause_bulk(session, bot.id, until - timedelta(hours=1))
    assert (await service.get(session, bot.id)).bulk_paused_until == until


async def test_a_stopped_bot_says_why_and_starts_again(session: AsyncSession) -> None:
    bot = await service.add(session, channel="telegram", name="One", token=None)
    stopped = await service.stop(session, bot.id, "token revoked")
    assert (stopped.status, stopped.stopped_reason) == (BotStatus.STOPPED, "token revoked")
    assert await service.listing(session, "telegram", active_only=True) == []
    assert (await service.start(session, bot.id)).status is BotStatus.ACTIVE
    with pytest.raises(BotNotFound):
        await service.get(session, bot.id + 999)


@pytest.mark.parametrize("rate", [0, -1, 1001, float("nan")])
async def test_a_senseless_rate_is_refused(session: AsyncSession, rate: float) -> None:
    bot = await service.add(session, channel="telegram", name="One", token=None)
    with pytest.raises(InvalidBot):
        await service.change(session, bot.id, bulk_rate=rate)


async def test_a_new_token_starts_a_bot_whose_token_was_refused(session: AsyncSession) -> None:
    bot = await make_bot(session)
    refused = await service.refuse(session, bot.id, "Unauthorized")
    assert refused.status == "stopped"
    assert "enter a new one" in (refused.stopped_reason or "")
    assert (await service.change(session, bot.id, token="54321:" + "n" * 35)).status == "active"
    await service.stop(session, bot.id, "on holiday")
    assert (await service.change(session, bot.id, token="54322:" + "n" * 35)).status == "stopped"
