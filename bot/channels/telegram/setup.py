"""What is told to the Bot API server when a process begins to serve, and the check of a new token."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass

import structlog

from bot.channels.contract import ChannelAccount, ChannelContext
from crm.bots import service as bots
from crm.brand import service as brands
from crm.config.settings import TelegramMode

from .access import DATABASE_AWAY, Access, readable_access, server_of, stop_refused
from .answers import Failure, Reply, describe
from .errors import InvalidTelegramToken, TelegramUnavailable
from .manifest import NAME
from .outcomes import is_bad_token
from .profile import Calls, appearance, by_webhook, tell
from .transport import BotApi

log = structlog.get_logger(__name__)
WEBHOOK_PATH = "/webhooks/telegram"
_SHAPE = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{10,100}")
LOOK_SECONDS = 5.0
_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_WAITS = (0.0, 1.0)
"""Seconds before each try; a server that stays away must not keep a process from starting."""


@dataclass(frozen=True)
class Plan:
    """What one bot's server is to be told."""

    bot_id: int
    access: Access
    calls: Calls


async def start(context: ChannelContext) -> None:
    """Tell the server of every active bot in webhook mode where its updates go and what it offers.

    Bots that are polled are set up by the poller as it begins to serve each. Never raises on the server's account:
    what fails is logged with the remedy, and told again at the next start.
    """
    plans = await _plans(context)
    api = BotApi(connect_timeout=_CONNECT_SECONDS)
    try:
        await asyncio.gather(*(_carry_out(context, api, plan) for plan in plans))
    finally:
        await api.close()


class Keeper:
    """Remembers what each bot's server was told, and tells it when that has changed."""

    def __init__(self, context: ChannelContext, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._context = context
        self._look_seconds = look_seconds
        self._told: dict[int, Plan] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few seconds until `stop`."""
        api = BotApi(connect_timeout=_CONNECT_SECONDS)
        try:
            while not stop.is_set():
                try:
                    await self.look(api)
                except DATABASE_AWAY as error:
                    log.warning("webhooks_not_kept", error=type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._look_seconds)
        finally:
            await api.close()

    async def look(self, api: BotApi) -> None:
        """Tell the servers of bots that were added, changed or started anew; what fails is told at the next look."""
        plans = {plan.bot_id: plan for plan in await _plans(self._context, is_quiet=True)}
        self._told = {bot_id: told for bot_id, told in self._told.items() if plans.get(bot_id) == told}
        for plan in plans.values():
            if plan.bot_id not in self._told and await _carry_out(self._context, api, plan):
                self._told[plan.bot_id] = plan


async def keep(context: ChannelContext, stop: asyncio.Event) -> None:
    """Tell the server of each bot with a webhook what it must know whenever that changes, until `stop`.

    A bot that is polled from now on has its webhook taken away by the poller.
    """
    await Keeper(context).run(stop)


async def check_token(context: ChannelContext, token: str) -> ChannelAccount:
    """The account behind a token. Raises InvalidTelegramToken, TelegramUnavailable."""
    token = token.strip()
    if not _SHAPE.fullmatch(token):
        raise InvalidTelegramToken("a Telegram token looks like 123456789:AAE...; copy it again from @BotFather")
    api = BotApi()
    try:
        reply = await api.call(Access(token, server_of(context.settings)), "getMe", {}, read_timeout=_CHECK_SECONDS)
    finally:
        await api.close()
    if is_bad_token(reply):
        raise InvalidTelegramToken
    if isinstance(reply, Failure) or not reply.is_ok or not isinstance(reply.result, dict):
        raise TelegramUnavailable
    username = reply.result.get("username")
    return ChannelAccount(str(reply.result.get("first_name") or username or NAME), str(username) if username else None)


async def _plans(context: ChannelContext, *, is_quiet: bool = False) -> list[Plan]:
    async with context.sessions() as session:
        looks = appearance((await brands.get(session)).default_locale)
        server = server_of(context.settings)
        plans = []
        for bot in await bots.listing(session, NAME, active_only=True):
            if bot.mode != TelegramMode.WEBHOOK or not bot.has_token:
                continue
            access = await readable_access(session, bot, server)
            url = webhook_url(context, await bots.webhook_path_secret(session, bot.id))
            if url is None and not is_quiet:
                log.error("webhook_not_set", bot_id=bot.id, remedy="set SIYU_PUBLIC_URL to this server's address")
            elif url is not None and access is not None:
                calls = by_webhook(url, await bots.webhook_secret(session, bot.id))
                plans.append(Plan(bot.id, access, [*calls, *looks]))
    return plans


def webhook_url(context: ChannelContext, path_secret: str) -> str | None:
    """Where the server is to send a bot's updates; None without a public address."""
    public = context.settings.public.url
    return None if public is None else f"{str(public).rstrip('/')}{WEBHOOK_PATH}/{path_secret}"


async def _carry_out(context: ChannelContext, api: BotApi, plan: Plan) -> bool:
    """Whether the server was told everything."""
    refused: Reply | None = None
    for wait in _WAITS:
        await asyncio.sleep(wait)
        refused = await tell(api, plan.access, plan.calls)
        if refused is None:
            return True
        if is_bad_token(refused):
            await stop_refused(context.sessions, plan.bot_id, plan.access.token, describe(refused))
            break
    assert refused is not None
    log.error("bot_not_set_up", bot_id=plan.bot_id, detail=describe(refused))
    return False
