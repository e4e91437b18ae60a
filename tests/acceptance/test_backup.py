"""A shop is backed up, verified and restored by commands; it sends nothing until somebody confirms."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.deliveries import service as deliveries
from crm.deliveries.sending import send_due
from crm.deliveries.testing import FakeSender
from tests.conftest import Servers
from tests.factories.deliveries import Audience, desk, make_audience
from tests.factories.points import give

from .conftest import deployment_settings
from .deployment import Deployment

BEFORE, AFTER = ("campaign", "before"), ("campaign", "after")


async def _broadcast(sessions: Sessions, source: tuple[str, str], audience: Audience | None = None) -> Audience:
    async with sessions.begin() as session:
        audience = audience or await make_audience(session, 3)
        await deliveries.start_broadcast(session, *source, audience.select())
    return audience


async def _sent(sessions: Sessions) -> int:
    sender = FakeSender()
    await send_due(desk(sessions, sender))
    return len(sender.sent)


@pytest.fixture
async def restored_place(servers: Servers, tmp_path: Path) -> Deployment:
    """Where the shop comes back: an empty database of its own."""
    folder = tmp_path / "restored"
    folder.mkdir()
    return Deployment(deployment_settings(servers, await servers.new_database("shop_restored"), folder), folder)


@pytest.fixture
async def shop(servers: Servers, tmp_path: Path) -> Deployment:
    """Where the shop is, migrated."""
    folder = tmp_path / "shop"
    folder.mkdir()
    made = Deployment(deployment_settings(servers, await servers.new_database("shop_to_lose"), folder), folder)
    migrated = await made.siyu("migrate")
    assert migrated.status == 0, migrated.err
    return made


@pytest.fixture
async def sessions(shop: Deployment, surroundings: Surroundings) -> AsyncIterator[Sessions]:
    """Sessions over the shop's database."""
    engine = make_engine(shop.settings["SIYU_DATABASE_URL"], pool_size=5)
    yield make_sessions(engine, surroundings)
    await engine.dispose()


async def test_from_a_living_shop_to_one_that_sends_again(
    shop: Deployment, restored_place: Deployment, sessions: Sessions, surroundings: Surroundings, tmp_path: Path
) -> None:
    audience = await _broadcast(sessions, BEFORE)
    async with sessions.begin() as session:
        await give(session, audience.contacts[0].member.id, 30)
    file = str(tmp_path / "shop.backup")

    made = await shop.siyu("backup", "--to", file)
    assert made.status == 0, made.err
    again = await shop.siyu("backup", "--to", file)
    assert (again.status, "never replaces a file" in again.err) == (1, True)
    proven = await shop.siyu("backup", "verify", file)
    assert (proven.status, "restores" in proven.out) == (0, True), proven.out + proven.err

    refused = await shop.siyu("restore", file)
    assert (refused.status, "not empty" in refused.err) == (1, True)
    came_back = await restored_place.siyu("restore", file)
    assert came_back.status == 0, came_back.err
    assert "safe mode" in came_back.out
    for proof in ("ledger", "audit"):
        assert (await restored_place.siyu(proof, "verify")).status == 0

    engine = make_engine(restored_place.settings["SIYU_DATABASE_URL"], pool_size=5)
    restored = make_sessions(engine, surroundings)
    assert await _sent(restored) == 0
    await restored_place.start("api")
    async with httpx.AsyncClient(base_url=restored_place.base_url) as client:
        ready = (await client.get("/readyz", timeout=60)).json()
        assert ready["parts"]["safe_mode"].startswith("on since")
    assert set((await restored_place.end(signal.SIGTERM)).values()) == {0}

    resumed = await restored_place.siyu("resume-sending")
    assert resumed.status == 0, resumed.err
    assert "3 messages of broadcasts" in resumed.out
    assert await _sent(restored) == 0, "what was under way at the backup is uncertain, not sent again"
    await _broadcast(restored, AFTER, audience)
    assert await _sent(restored) == 3
    await engine.dispose()
