"""Updates that Telegram pushes: authenticated, stored and committed, then answered with 200.

Whatever is not answered with 200 comes again for a day; 410 would end the webhook, so it is never answered.
"""

import asyncio
import hmac
from dataclasses import dataclass

import structlog
from fastapi import APIRouter, Request, Response

from bot.channels.contract import ChannelContext
from crm.bots import service as bots
from crm.bots.types import BotStatus
from crm.db.session import Sessions
from crm.kit.clock import monotonic

from .access import DATABASE_AWAY
from .keys import keys_of_payload
from .manifest import NAME
from .setup import WEBHOOK_PATH

log = structlog.get_logger(__name__)
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
LARGEST_BODY = 1024 * 1024
_REMEMBER_SECONDS = 5.0
_LATER = {"Retry-After": "5"}
_PATIENCE = 15.0
"""Seconds for finding the bot and storing; a database that hangs is answered like one that is away."""


@dataclass(frozen=True, slots=True)
class Door:
    """A bot's webhook."""

    bot_id: int
    secret: bytes
    is_open: bool
    """False while the bot is stopped: its updates wait at Telegram."""


class Doors:
    """Webhooks by their random path; those that exist are remembered for a few seconds."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._known: dict[str, tuple[Door, float]] = {}

    async def find(self, path_secret: str) -> Door | None:
        """The webhook with this path. Raises one of DATABASE_AWAY."""
        known = self._known.get(path_secret)
        if known is not None and known[1] > monotonic():
            return known[0]
        self._known.pop(path_secret, None)
        async with self._sessions() as session:
            bot = await bots.find_by_path(session, path_secret)
            if bot is None or bot.channel != NAME:
                return None
            secret = await bots.webhook_secret(session, bot.id)
        door = Door(bot.id, secret.encode(), bot.status is BotStatus.ACTIVE)
        self._known[path_secret] = (door, monotonic() + _REMEMBER_SECONDS)
        return door


def make(context: ChannelContext) -> APIRouter:
    """The router with the one address per bot."""
    intake = context.intake
    if intake is None:
        raise ValueError("the webhook needs an intake")
    router = APIRouter(include_in_schema=False)
    doors = Doors(context.sessions)

    @router.post(WEBHOOK_PATH + "/{path_secret}", name="telegram.webhook")
    async def receive(path_secret: str, request: Request) -> Response:
        """One update."""
        try:
            async with asyncio.timeout(_PATIENCE):
                door = await doors.find(path_secret)
            refusal = _refuse(door, request)
            if door is None or refusal is not None:
                return refusal or Response(status_code=404)
            payload = await _read(request)
            if payload is None:
                return Response(status_code=413)
            keys = keys_of_payload(payload)
            async with asyncio.timeout(_PATIENCE):
                await intake(bot_id=door.bot_id, update_key=keys.update, chat_key=keys.chat, payload=payload)
        except DATABASE_AWAY as error:
            log.warning("webhook_database_away", error=type(error).__name__)
            return Response(status_code=503, headers=_LATER)
        return Response(status_code=200)

    return router


def _refuse(door: Door | None, request: Request) -> Response | None:
    if door is None:
        return Response(status_code=404)
    # Headers are bytes that were read as Latin-1; compared as text, a letter above ASCII would raise.
    given = request.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
    if not hmac.compare_digest(given, door.secret):
        return Response(status_code=401)
    return None if door.is_open else Response(status_code=503, headers={"Retry-After": "60"})


async def _read(request: Request) -> bytes | None:
    """The body; None when it is larger than any update."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
