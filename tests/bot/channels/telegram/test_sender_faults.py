"""Every row of the error table, over a real connection and a server that misbehaves."""

import asyncio
from uuid import uuid4

import pytest

from bot.channels.telegram.access import Access
from bot.channels.telegram.answers import Failure, Phase
from bot.channels.telegram.line import Line
from bot.channels.telegram.pictures import Pictures
from bot.channels.telegram.sender import TelegramSender
from bot.channels.telegram.transport import BotApi
from crm.db.session import Sessions, make_engine, make_sessions, surroundings
from crm.deliveries.types import (
    ContentRejected,
    InDoubt,
    Lane,
    Migrated,
    NotAccepted,
    SendOutcome,
    Sent,
    Throttled,
    Unauthorized,
    Unreachable,
)
from crm.messages.types import Button, Outbound

from .conftest import House


async def _send(house: House, sender: TelegramSender, text: str = "x") -> SendOutcome:
    return await sender.send(house.bot.id, house.address, Outbound(text), lane=Lane.BULK)


@pytest.mark.parametrize(
    ("fault", "expected", "arrives"),
    [
        (("too_many_requests", {"retry_after": 10072}), Throttled(10072), False),
        (("forbidden", {}), Unreachable("blocked"), False),
        (("forbidden", {"text": "Forbidden: user is deactivated"}), Unreachable("deactivated"), False),
        (("forbidden", {"text": "Forbidden: bot was kicked from the group chat"}), Unreachable("kicked"), False),
        (("bad_request", {}), Unreachable("chat_not_found"), False),
        (("bad_request", {"text": "Bad Request: PEER_ID_INVALID"}), Unreachable("chat_not_found"), False),
        (("bad_request", {"text": "Bad Request: can't parse entities"}), ContentRejected, False),
        (("unauthorized", {}), Unauthorized("Unauthorized"), False),
        (("server_error", {"status": 500}), InDoubt("Internal Server Error"), False),
        (("server_error", {"status": 502, "as_html": True}), InDoubt, False),
        (("latency", {"seconds": 6}), InDoubt, False),
        (("latency", {"seconds": 0.1}), Sent, True),
        (("timeout_after_accept", {}), InDoubt, True),
        (("reset_after_accept", {}), InDoubt, True),
        (("reset_before_accept", {}), InDoubt, False),
    ],
)
async def test_row(
    house: House,
    sender: TelegramSender,
    fault: tuple[str, dict[str, str | float]],
    expected: SendOutcome | type[SendOutcome],
    arrives: bool,
) -> None:
    await house.client.add_fault(fault[0], method="sendMessage", **fault[1])
    outcome = await _send(house, sender)
    if isinstance(expected, type):
        assert isinstance(outcome, expected)
    else:
        assert outcome == expected
    assert await house.texts() == (["x"] if arrives else [])
    assert await house.calls("sendMessage") <= 1


async def test_migration_names_the_new_address(house: House, sender: TelegramSender) -> None:
    await house.client.add_fault("migrate", chat_id=house.person_id, migrate_to_chat_id=-1001234567890)
    assert await _send(house, sender) == Migrated("-1001234567890")
    assert isinstance(await sender.send(house.bot.id, "-1001234567890", Outbound("x"), lane=Lane.BULK), Sent)


async def test_blocked_for_real(house: House, sender: TelegramSender) -> None:
    await house.client.block(house.person_id, house.account_id)
    assert await _send(house, sender) == Unreachable("blocked")


@pytest.mark.parametrize(
    "message",
    [
        Outbound(""),
        Outbound("<b>open"),
        Outbound("<script>alert(1)</script>"),
        Outbound("x" * 4097),
        Outbound("half \ud800 pair"),
        Outbound("x", ((Button("", data="a"),),)),
        Outbound("x", ((Button("a", data="d" * 65),),)),
        Outbound("x", ((Button("a", url="https://"),),)),
    ],
)
async def test_faulty_contents(house: House, sender: TelegramSender, message: Outbound) -> None:
    outcome = await sender.send(house.bot.id, house.address, message, lane=Lane.BULK)
    assert isinstance(outcome, ContentRejected)
    assert await house.shown() == []


async def test_a_port_where_nobody_listens(house: House) -> None:
    line = Line(BotApi(connect_timeout=0.5), house.sessions, "http://127.0.0.1:9")
    sender = TelegramSender(line, Pictures(house.sessions))
    assert isinstance(await _send(house, sender), NotAccepted)
    await sender.close()


async def test_a_host_that_does_not_exist(house: House) -> None:
    line = Line(BotApi(connect_timeout=2), house.sessions, "http://telegram.invalid")
    sender = TelegramSender(line, Pictures(house.sessions))
    assert isinstance(await _send(house, sender), NotAccepted)
    await sender.close()


async def test_the_database_is_away(house: House) -> None:
    async with house.sessions() as session:
        around = surroundings(session)
    engine = make_engine("postgresql://nobody@127.0.0.1:9/nothing")
    away = make_sessions(engine, around)
    sender = TelegramSender(Line(BotApi(), away, house.base_url), Pictures(away))
    outcome = await _send(house, sender)
    assert isinstance(outcome, NotAccepted)
    assert await house.calls("sendMessage") == 0
    await sender.close()
    await engine.dispose()


class Broken(Pictures):
    """Fails in a way that nobody foresaw."""

    async def file_id(self, bot_id: int, media_id: object) -> str | None:
        raise ZeroDivisionError(bot_id, media_id)


async def test_it_never_raises(house: House, committed_sessions: Sessions) -> None:
    sender = TelegramSender(Line(BotApi(), committed_sessions, house.base_url), Broken(committed_sessions))
    message = Outbound("x", photo_media_id=uuid4())
    outcome = await sender.send(house.bot.id, house.address, message, lane=Lane.BULK)
    assert outcome == InDoubt("the sender failed: ZeroDivisionError")
    await sender.close()


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        (b"", Phase.ANSWER),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Phase.ANSWER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Phase.ANSWER),
    ],
)
async def test_servers_that_speak_something_else(said: bytes, phase: Phase) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    api = BotApi()
    reply = await api.call(Access("1:a", f"http://127.0.0.1:{port}"), "sendMessage", {"text": "x"}, read_timeout=20)
    await api.close()
    server.close()
    await server.wait_closed()
    assert isinstance(reply, Failure)
    assert reply.phase is phase
    assert "127.0.0.1" not in reply.detail
