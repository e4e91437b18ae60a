"""The bare HTTP connections of the hot path, against servers that say whatever a test wants, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.channels.telegram import wire
from bot.channels.telegram.access import Access
from bot.channels.telegram.answers import Answer, Failure, Phase, Reply
from bot.channels.telegram.transport import BotApi

OK = b'{"ok":true,"result":{"message_id":7}}'
FULL = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OK), OK)
Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def hear(self) -> bytes:
        """One request, whole."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head + await self._reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        self._writer.transport.abort()


class Server:
    """Follows one script per connection, the last one for all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.connections = 0
        self.errors: list[Exception] = []
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:  # noqa: BLE001 - told to the test
            self.errors.append(error)
        finally:
            writer.close()


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[tuple[Server, BotApi]]:
    made = Server(*scripts)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    api = BotApi(connect_timeout=30)
    try:
        yield made, api
    finally:
        await api.close()
        server.close()
    assert made.errors == []


async def _call(server: Server, api: BotApi, patience: float = 30) -> Reply:
    return await api.call(Access("1:a", server.address), "sendMessage", {"text": "茶"}, read_timeout=patience)


def says(*pieces: bytes, ends: bool = True, waits: float = 0.0) -> Script:
    """Hear one request, answer in these pieces, then close or stay silent."""

    async def script(peer: Peer) -> None:
        await peer.hear()
        for piece in pieces:
            await peer.say(piece)
            await asyncio.sleep(waits)
        if not ends:
            await peer.hear()

    return script


async def friendly(peer: Peer) -> None:
    while True:
        await peer.hear()
        await peer.say(FULL)


def _is_sent(reply: Reply) -> bool:
    return isinstance(reply, Answer) and reply.is_ok and reply.result == {"message_id": 7}


async def test_what_is_written() -> None:
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.hear())
        await peer.say(FULL)

    async with serving(script) as (server, api):
        access = Access("12:a b/c", f"{server.address.replace('//', '//me:pw@')}/base")
        assert _is_sent(await api.call(access, "sendMessage", {"text": "茶"}))
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/bot12:a%20b%2Fc/sendMessage HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Basic bWU6cHc=" in head
    assert body.decode() == '{"text":"茶"}'


async def test_a_connection_is_kept() -> None:
    async with serving(friendly) as (server, api):
        for _ in range(5):
            assert _is_sent(await _call(server, api))
        assert server.connections == 1
        assert all(map(_is_sent, await asyncio.gather(*(_call(server, api) for _ in range(150)))))
        assert server.connections <= 100


@pytest.mark.parametrize(
    "pieces",
    [
        [FULL[:9], FULL[9:30], FULL[30:-1], FULL[-1:]],
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"5\r\n%b\r\n" % OK[:5],
            b"20\r\n%b\r\n0\r\n\r\n" % OK[5:],
        ],
        [b"HTTP/1.1 200 OK\r\n\r\n", OK[:9], OK[9:]],
        [b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK), OK],
        [b"HTTP/1.1 100 Continue\r\n\r\n", FULL],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + FULL],
        [b"HTTP/1.1 200 OK\r\ncontent-length:%d\r\nX-Long: %b\r\n\r\n%b" % (len(OK), b"x" * 5000, OK)],
    ],
    ids=["in pieces", "chunked", "until the end", "http/1.0", "continue", "hints", "odd heads"],
)
async def test_whole_answers(pieces: list[bytes]) -> None:
    async with serving(says(*pieces, waits=0.01)) as (server, api):
        assert _is_sent(await _call(server, api))


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", OK],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", OK[:5]],
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
        [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"],
        [b"\x00\x01 not http at all"],
        [b"HTTP/1.1 200 OK\r\n", *([b"X-Flood: " + b"x" * 4000 + b"\r\n"] * 40)],
    ],
    ids=[
        "nothing",
        "half a head",
        "half a body",
        "half a chunk",
        "only continue",
        "upgrade",
        "two lengths",
        "noise",
        "flood",
    ],
)
async def test_no_answer_leaves_it_open(pieces: list[bytes]) -> None:
    async with serving(says(*pieces, waits=0.001), friendly) as (server, api):
        reply = await _call(server, api)
        assert isinstance(reply, Failure)
        assert reply.phase is Phase.ANSWER
        assert _is_sent(await _call(server, api))
        assert server.connections == 2


async def test_a_huge_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_BYTES", 100_000)
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"
    async with serving(says(huge, *([b" " * 50_000] * 9), waits=0.001)) as (server, api):
        reply = await _call(server, api)
    assert reply == Failure(Phase.ANSWER, "no answer from the Bot API server: the answer is too long")


async def test_a_reset_before_and_after_the_request() -> None:
    async def at_once(peer: Peer) -> None:
        peer.reset()

    async def after(peer: Peer) -> None:
        await peer.hear()
        peer.reset()

    for script in (at_once, after):
        async with serving(script) as (server, api):
            reply = await _call(server, api)
            assert isinstance(reply, Failure)
            assert reply.phase is Phase.ANSWER


async def test_silence_is_not_waited_for_longer_than_asked() -> None:
    async with serving(says(ends=False), friendly) as (server, api):
        assert isinstance(await _call(server, api, patience=0.2), Failure)
        assert _is_sent(await _call(server, api))


async def test_a_slow_answer_is_waited_for_while_it_comes() -> None:
    drops = [FULL[at : at + 4] for at in range(0, len(FULL), 4)]
    async with serving(says(*drops, waits=0.15), friendly) as (server, api):
        begun = asyncio.get_running_loop().time()
        assert _is_sent(await _call(server, api, patience=2))
        assert asyncio.get_running_loop().time() - begun > 2


async def test_a_late_answer_is_never_taken_for_the_next() -> None:
    is_given_up = asyncio.Event()

    async def late(peer: Peer) -> None:
        await peer.hear()
        await is_given_up.wait()
        await peer.say(FULL.replace(b"7}", b"1}"))

    async with serving(late, friendly) as (server, api):
        assert isinstance(await _call(server, api, patience=0.2), Failure)
        is_given_up.set()
        replies = await asyncio.gather(*(_call(server, api) for _ in range(3)))
        await asyncio.sleep(0.05)
        assert all(map(_is_sent, [*replies, await _call(server, api)]))


async def test_what_comes_unasked_spoils_the_connection() -> None:
    stray = FULL.replace(b"7}", b"1}")

    async def together(peer: Peer) -> None:
        await peer.hear()
        await peer.say(FULL + stray)
        await peer.hear()

    async def afterwards(peer: Peer) -> None:
        await peer.hear()
        await peer.say(FULL)
        await peer.say(stray)
        await peer.hear()

    async with serving(together, afterwards, friendly) as (server, api):
        for _ in range(3):
            assert _is_sent(await _call(server, api))
            await asyncio.sleep(0.05)
        assert server.connections == 3


@pytest.mark.parametrize("head", [b"Connection: close\r\n", b""])
async def test_a_connection_that_the_server_closes_is_not_used_again(head: bytes) -> None:
    answer = FULL.replace(b"\r\n", b"\r\n" + head, 1)
    async with serving(says(answer)) as (server, api):
        for _ in range(3):
            assert _is_sent(await _call(server, api))
            await asyncio.sleep(0.02)
        assert server.connections == 3


async def test_a_cancelled_call_gives_its_connection_up() -> None:
    async with serving(says(ends=False), friendly) as (server, api):
        call = asyncio.create_task(_call(server, api))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert _is_sent(await _call(server, api))
        assert server.connections == 2


async def test_pages_of_proxies_and_redirects() -> None:
    page = b"<html>Bad Gateway</html>"
    for status in (502, 302):
        answer = b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: %d\r\n\r\n%b" % (
            status,
            len(page),
            page,
        )
        async with serving(says(answer)) as (server, api):
            reply = await _call(server, api)
            assert isinstance(reply, Answer)
            assert (reply.status, reply.is_readable) == (status, False)


@pytest.mark.parametrize(
    "server",
    ["127.0.0.1:80", "ftp://x", "http://", "http://x:99999", "http://x/a b", "http://x/\r\nX: y", "http://x/茶"],
)
async def test_addresses_that_are_none(server: str) -> None:
    api = BotApi()
    reply = await api.call(Access("1:secret", server), "sendMessage", {})
    assert isinstance(reply, Failure)
    assert reply.phase is Phase.CONNECT
    assert "secret" not in reply.detail
    await api.close()


async def test_a_server_that_speaks_no_tls() -> None:
    async with serving(friendly) as (server, _):
        api = BotApi(connect_timeout=1)
        reply = await api.call(Access("1:a", server.address.replace("http:", "https:")), "sendMessage", {})
        await api.close()
    assert isinstance(reply, Failure)
    assert reply.phase is Phase.CONNECT


async def test_waiting_for_a_free_connection_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MOST_CONNECTIONS", 2)
    async with serving(says(ends=False)) as (server, _):
        api = BotApi(connect_timeout=1)
        replies = await asyncio.gather(*(_call(server, api, patience=3) for _ in range(3)))
        await api.close()
    phases = [reply.phase for reply in replies if isinstance(reply, Failure)]
    assert sorted(phases, key=str) == [Phase.ANSWER, Phase.ANSWER, Phase.CONNECT]
