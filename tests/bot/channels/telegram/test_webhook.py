"""The webhook: who may, what is stored before the answer, and what comes again."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from bot.channels.telegram import webhook
from bot.channels.telegram.setup import WEBHOOK_PATH
from bot.channels.telegram.webhook import LARGEST_BODY, SECRET_HEADER, make
from crm.bots import service as bots

from .conftest import House

UPDATE = b'{"update_id": 7, "message": {"chat": {"id": 5}}}'


class Hook:
    """The application, and the two secrets of our bot's webhook."""

    def __init__(self, client: httpx.AsyncClient, path: str, secret: str) -> None:
        self.client = client
        self.path = path
        self.secret = secret

    async def post(self, body: bytes = UPDATE, *, secret: bytes | str | None = None, path: str = "") -> int:
        headers = {SECRET_HEADER.encode(): secret.encode() if isinstance(secret, str) else secret or b""}
        if secret is None:
            headers = {SECRET_HEADER.encode(): self.secret.encode()}
        answer = await self.client.post(path or self.path, content=body, headers=headers)
        assert answer.content == b""
        return answer.status_code


@pytest.fixture
async def hook(house: House) -> AsyncIterator[Hook]:
    app = FastAPI()
    app.include_router(make(house.context))
    async with house.sessions() as session:
        path = await bots.webhook_path_secret(session, house.bot.id)
        secret = await bots.webhook_secret(session, house.bot.id)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://siyu") as client:
        yield Hook(client, f"{WEBHOOK_PATH}/{path}", secret)


async def test_an_update_is_stored_before_the_answer(house: House, hook: Hook) -> None:
    assert await hook.post() == 200
    assert house.intake.taken == [(house.bot.id, "7", "5", UPDATE)]


@pytest.mark.parametrize("body", [b"", b"tea", b"[]", b'{"update_id": "x"}', b"\xff\x00"])
async def test_what_is_authentic_is_kept_even_if_unreadable(house: House, hook: Hook, body: bytes) -> None:
    assert await hook.post(body) == 200
    [(_, key, chat, payload)] = house.intake.taken
    assert (key.startswith("sha256:"), chat, payload) == (True, "0", body)


@pytest.mark.parametrize("secret", ["", "wrong", b"\xe4\xbd\xa0", b"\xff"])
async def test_a_wrong_secret(house: House, hook: Hook, secret: bytes | str) -> None:
    assert await hook.post(secret=secret) == 401
    assert house.intake.taken == []


@pytest.mark.parametrize("path", ["unknown", "%00", "%F0%9F%8D%B5", "a" * 2000])
async def test_an_unknown_path(house: House, hook: Hook, path: str) -> None:
    assert await hook.post(path=f"{WEBHOOK_PATH}/{path}") == 404
    assert house.intake.taken == []


async def test_the_path_of_another_channel(house: House, hook: Hook) -> None:
    async with house.sessions.begin() as session:
        other = await bots.add(session, channel="webchat", name="chat", token=None)
        path = await bots.webhook_path_secret(session, other.id)
    assert await hook.post(path=f"{WEBHOOK_PATH}/{path}") == 404


async def test_too_large_a_body(house: House, hook: Hook) -> None:
    assert await hook.post(b"x" * (LARGEST_BODY + 1)) == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 65536 + 1):
            yield b"x" * 65536

    answer = await hook.client.post(hook.path, content=pieces(), headers={SECRET_HEADER: hook.secret})
    assert answer.status_code == 413
    assert house.intake.taken == []
    assert await hook.post(b"x" * LARGEST_BODY) == 200


async def test_the_database_is_away(house: House, hook: Hook) -> None:
    house.intake.failures = [OperationalError("SELECT 1", {}, OSError("away"))]
    answer = await hook.client.post(hook.path, content=UPDATE, headers={SECRET_HEADER: hook.secret})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await hook.post() == 200


async def test_a_stopped_bot_lets_its_updates_wait(house: House, hook: Hook) -> None:
    async with house.sessions.begin() as session:
        await bots.stop(session, house.bot.id, "by hand")
    assert await hook.post() == 503
    assert house.intake.taken == []


async def test_without_an_intake(house: House) -> None:
    context = type(house.context)(house.context.settings, house.sessions, house.context.valkey)
    with pytest.raises(ValueError, match="intake"):
        make(context)


async def test_a_database_that_hangs_is_as_one_that_is_away(
    house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_PATIENCE", 0.05)
    house.intake.hangs = True
    answer = await hook.client.post(hook.path, content=UPDATE, headers={SECRET_HEADER: hook.secret})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    house.intake.hangs = False
    monkeypatch.undo()
    assert await hook.post() == 200
