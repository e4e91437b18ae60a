"""What is amiss between our bots and their server: asked by an operator, changes nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.contract import ChannelContext, Trouble
from crm.bots import service as bots
from crm.bots.types import Bot, BotStatus
from crm.config.settings import TelegramMode
from crm.db import clock
from crm.kit.crypto import SealBrokenError
from crm.kit.errors import DomainError

from .access import Access, access_of, server_of
from .answers import Failure, describe
from .manifest import NAME
from .outcomes import is_bad_token
from .setup import webhook_url
from .transport import BotApi

_PATIENCE = 10.0
_SEALED = "Its token was sealed with another secret: set SIYU_SECRET_KEY to that one, or enter the token anew."
_MANY_PENDING = 100
_RECENT_SECONDS = 3600


@dataclass(frozen=True)
class _Asked:
    bot: Bot
    access: Access
    url: str | None
    """Where its webhook should lead."""


async def diagnose(context: ChannelContext) -> list[Trouble]:
    """Every trouble of every bot that has a token; empty when all is well."""
    api = BotApi(connect_timeout=_PATIENCE)
    try:
        async with context.sessions() as session:
            now = (await clock.now(session)).timestamp()
            known = [await _known(context, session, bot) for bot in await bots.listing(session, NAME)]
        troubles = [item for item in known if isinstance(item, Trouble)]
        looks = await asyncio.gather(*(_ask(api, item, now) for item in known if isinstance(item, _Asked)))
        return [*troubles, *(trouble for look in looks for trouble in look)]
    finally:
        await api.close()


async def _known(context: ChannelContext, session: AsyncSession, bot: Bot) -> _Asked | Trouble | None:
    if bot.status is not BotStatus.ACTIVE:
        return Trouble(bot.name, f"The bot is stopped ({bot.stopped_reason or 'by an operator'}).")
    if not bot.has_token:
        return None
    try:
        access = await access_of(session, bot, server_of(context.settings))
        url = webhook_url(context, await bots.webhook_path_secret(session, bot.id))
    except (DomainError, SealBrokenError):
        return Trouble(bot.name, _SEALED, is_fatal=True)
    return _Asked(bot, access, url)


async def _ask(api: BotApi, asked: _Asked, now: float) -> list[Trouble]:
    name = asked.bot.name
    reply = await api.call(asked.access, "getWebhookInfo", {}, read_timeout=_PATIENCE)
    if is_bad_token(reply):
        return [Trouble(name, "Telegram refuses its token: copy it again from @BotFather.", is_fatal=True)]
    if isinstance(reply, Failure) or not reply.is_ok or not isinstance(reply.result, dict):
        return [
            Trouble(name, f"Telegram cannot be asked: {describe(reply)}. Check the way out, or SIYU_TELEGRAM_API_BASE.")
        ]
    return [Trouble(name, text, is_fatal) for text, is_fatal in judge(asked.bot.mode, asked.url, reply.result, now)]


def judge(mode: str, url: str | None, info: Mapping[str, Any], now: float) -> list[tuple[str, bool]]:
    """What the server's word on the webhook means, and whether it is fatal; pure. `now` in seconds since 1970."""
    found = []
    there = str(info.get("url") or "")
    host = urlsplit(there).hostname or "another address"
    if mode == TelegramMode.WEBHOOK:
        if url is None:
            found.append(("It waits for webhooks, but SIYU_PUBLIC_URL is not set.", True))
        elif not there:
            found.append(("No webhook is set: start siyu api, which sets it.", True))
        elif there != url:
            found.append((f"Its webhook leads to {host}, not here: start siyu api, and stop what runs there.", True))
    elif there:
        found.append(
            (f"It is polled, but a webhook leads to {host}: start siyu poller, and stop what runs there.", True)
        )
    failed_at = info.get("last_error_date")
    if isinstance(failed_at, int | float) and now - failed_at < _RECENT_SECONDS:
        said = str(info.get("last_error_message") or "no reason given")[:200]
        found.append((f"Telegram could not deliver to the webhook within the last hour: {said}.", False))
    pending = info.get("pending_update_count")
    if isinstance(pending, int) and pending > _MANY_PENDING:
        found.append((f"{pending} updates wait at Telegram: is a process there that takes them?", False))
    return found
