"""A day with everything that goes wrong, at level DEBUG: the log names ids and places, and nobody and nothing else."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import httpx
import pytest
import structlog
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from admin_api.app import create_app
from admin_api.deps import AdminDeps
from bot import replies
from bot.dispatcher import Dispatcher
from bot.handling import Handler
from crm.bots import service as bots
from crm.config.settings import LogSettings
from crm.db.session import Sessions, Surroundings
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import Unpaced
from crm.deliveries.types import Lane, SendOutcome
from crm.events import relay, subscriptions
from crm.events.catalogue import MemberSignedUp
from crm.events.service import publish
from crm.events.subscriptions import Subscriptions, subscriber
from crm.events.types import RecordedEvent
from crm.messages.service import render_flow
from crm.messages.types import ChannelTraits, Outbound
from flows.engine import registry
from flows.engine.engine import Engine
from runtime.logs import set_up_logs
from runtime.loops import repeat
from tests.bot.loop import CHANNEL, House
from tests.factories.operators import PASSWORD

NAME, PHONE, SAID = "张小珍珠", "13812345678", "my private words about tea"
TOKEN = "7123456789:AAHfakeTokenOfATestBot_0123456789abcd"
CANARIES = (NAME, PHONE, SAID, TOKEN, TOKEN.partition(":")[2], PASSWORD)
router = APIRouter()


@pytest.fixture(params=["json", "console"])
def said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What our logs write at level DEBUG; afterwards they are as before."""
    written = StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    set_up_logs(LogSettings(level="DEBUG", format=request.param))
    yield written
    root.handlers[:], root.level = before
    structlog.reset_defaults()


class Telling:
    """A sender that breaks with everything it knows in its words."""

    name = CHANNEL
    traits = ChannelTraits(CHANNEL)

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """Never sends."""
        words = f"{bot_id} {address} {lane} {message} {SAID} {NAME}"
        raise ConnectionError(f"https://api.telegram.org/bot{TOKEN}/sendMessage {words}")


class BrokenEngine(Engine):
    """Fails on some words, quoting them."""

    async def handle(
        self, session: AsyncSession, contact: Any, conversation: Any, given: Any, traits: Any, **how: Any
    ) -> Any:
        """As ever, but for those words."""
        if SAID in (given.text or ""):
            await session.execute(text("SELECT CAST(:words AS int)"), {"words": given.text})
        return await super().handle(session, contact, conversation, given, traits, **how)


@subscriber("test.telling", MemberSignedUp)
async def tell(session: AsyncSession, event: RecordedEvent) -> None:
    """A subscriber that fails and quotes a person."""
    raise ValueError(f"{NAME} {PHONE} {event.id}")


@router.get("/api/v1/broken/{words}")
async def break_down(words: str) -> None:
    """An error in our own code that quotes the address."""
    try:
        _ = dict[str, str]()[words]
    except KeyError as error:
        raise RuntimeError(f"{words} {PHONE} {TOKEN}") from error


@pytest.fixture
async def house(committed_sessions: Sessions) -> AsyncIterator[House]:
    sessions = committed_sessions
    house = House(sessions, render=render_flow)
    lane = InteractiveLane(sessions, Unpaced(), {CHANNEL: Telling()})
    engine = BrokenEngine(registry.discover(), render_flow)
    house.handler = Handler(sessions, {CHANNEL: house.channel}, engine, replies.enqueue, lane.deliver_now)
    house.dispatcher = Dispatcher(sessions, house.handler, concurrency=1)
    house.intake = type(house.intake)(sessions, house.dispatcher)
    yield house
    await house.dispatcher.close(patience=5)


def _clean(said: StringIO, *wanted: str) -> None:
    written = said.getvalue()
    assert [canary for canary in CANARIES if canary in written] == []
    assert [word for word in wanted if word not in written] == []


async def _converse(house: House) -> None:
    async with house.sessions.begin() as session:
        bot = await bots.add(session, channel=CHANNEL, name="Tea", token=TOKEN)
    for number in range(2):
        await house.receive(bot, PHONE, "/start", display_name=NAME, key=f"a{number}")
        await house.settle()
    await house.receive(bot, PHONE, NAME)
    await house.receive(bot, PHONE, PHONE)
    for _ in range(5):
        await house.receive(bot, PHONE, f"hello {SAID}", key=f"poison {SAID}")
        await house.settle()
    await house.intake(bot_id=bot.id, update_key="z", chat_key=PHONE, payload=f"{{{SAID}".encode())
    await house.settle()


async def test_a_conversation_that_breaks(house: House, said: StringIO) -> None:
    await _converse(house)
    _clean(said, "update_failed", "update_id", "sender_raised", "delivery_id")


async def test_events_whose_subscribers_break(sessions: Sessions, surroundings: Surroundings, said: StringIO) -> None:
    ports = {**surroundings.ports, subscriptions.PORT: Subscriptions([tell])}
    info = {"siyu": replace(surroundings, ports=ports)}
    own = async_sessionmaker(
        sessions.kw["bind"], join_transaction_mode="create_savepoint", expire_on_commit=False, info=info
    )
    async with own.begin() as session:
        await publish(session, MemberSignedUp(member_id=1, channel=CHANNEL))
    await relay.relay_all(own)
    _clean(said, "handoff_failed", "test.telling")


async def test_requests_that_break(deps: AdminDeps, said: StringIO) -> None:
    app = create_app(replace(deps, routers=[router]))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://siyu.test") as client:
        broken = await client.get(f"/api/v1/broken/{SAID}")
        assert broken.status_code == 500
        assert [canary for canary in CANARIES if canary in broken.text] == []
        await client.get(f"/{PHONE}?q={NAME}", headers={"Authorization": f"Bearer {TOKEN}"})
        await client.post("/api/v1/members", json={"name": NAME, "phone": PHONE, "odd": SAID})
        await client.post("/console/sign-in", data={"email": f"{NAME}@x.example", "password": PASSWORD})
    _clean(said, "request_failed", broken.headers["x-request-id"])


async def test_loops_and_forgotten_tasks_that_break(said: StringIO) -> None:
    async def fail() -> bool:
        stop.set()
        try:
            _ = dict[str, str]()[PHONE]
        except KeyError as error:
            raise ExceptionGroup(NAME, [ValueError(SAID), RuntimeError(TOKEN)]) from error
        return False

    stop = asyncio.Event()
    await repeat("test", fail, stop, rest=0)
    loop = asyncio.get_running_loop()
    error = ValueError(f"{SAID} {TOKEN}")
    task = loop.create_future()
    task.set_exception(error)
    loop.default_exception_handler(
        {"message": "Task exception was never retrieved", "exception": error, "future": task}
    )
    assert task.exception() is error
    _clean(said, "loop_failed", "KeyError", "ExceptionGroup", "test_logs.py", "never retrieved")


async def test_libraries_that_write_everything_down(said: StringIO) -> None:
    for name in ("httpcore.http11", "python_multipart", "aiohttp.client", "sqlalchemy.engine", "redis"):
        logging.getLogger(name).debug("send %s %s %s", NAME, PHONE, SAID)
    logging.getLogger("aiohttp.client").info("https://api.telegram.org/bot%s/getMe", TOKEN)
    structlog.get_logger("crm.any").debug("known", error=ValueError(SAID))
    _clean(said, "getMe", "ValueError")
