"""getUpdates and the webhook methods."""

import re
from typing import Any
from urllib.parse import urlsplit

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.parameters import Parameters
from bot.channels.telegram.simulator.world.bots import Bot, Webhook

from .call import Call

_LONGEST_POLL = 50.0
_CONNECTIONS = range(1, 101)
_SECRET = re.compile(r"\A[A-Za-z0-9_-]{1,256}\Z")


async def get_updates(call: Call) -> list[Json]:
    """Give waiting updates, or wait for the first."""
    parameters = call.parameters
    call.simulator.require_no_webhook(call.bot)
    _take_allowed_updates(call, call.bot, parameters)
    limit = parameters.integer("limit", 100)
    timeout = min(max(parameters.number("timeout", 0.0), 0.0), _LONGEST_POLL)
    mailbox = call.simulator.mailbox(call.bot)
    offset = parameters.integer("offset", 0)
    return await mailbox.poll(offset, min(max(limit, 1), 100), timeout)


async def set_webhook(call: Call) -> bool:
    """Push updates to an address from now on; an empty address ends it."""
    parameters = call.parameters
    address = parameters.text("url").strip()
    if not address:
        return await delete_webhook(call)
    webhook = _read_webhook(address, parameters)
    _take_allowed_updates(call, call.bot, parameters)
    if parameters.flag("drop_pending_updates"):
        call.simulator.mailbox(call.bot).drop_all()
    call.bot.webhook = webhook
    call.world.keep_bot(call.bot)
    call.simulator.switch_webhook(call.bot)
    return True


async def delete_webhook(call: Call) -> bool:
    """Stop pushing; waiting updates stay unless they are to be dropped."""
    if call.parameters.flag("drop_pending_updates"):
        call.simulator.mailbox(call.bot).drop_all()
    call.bot.webhook = None
    call.world.keep_bot(call.bot)
    call.simulator.switch_webhook(call.bot)
    return True


async def get_webhook_info(call: Call) -> Json:
    """Say where updates go and how delivery fares."""
    webhook = call.bot.webhook
    mailbox = call.simulator.mailbox(call.bot)
    mailbox.drop_expired()
    info: Json = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(mailbox.waiting),
    }
    if webhook:
        info["max_connections"] = webhook.max_connections
        info["ip_address"] = "127.0.0.1"
        if webhook.last_error_date is not None:
            info["last_error_date"] = webhook.last_error_date
            info["last_error_message"] = webhook.last_error_message
    if call.bot.allowed_updates is not None:
        info["allowed_updates"] = call.bot.allowed_updates
    return info


def _read_webhook(address: str, parameters: Parameters) -> Webhook:
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web:
        raise bad_request("bad webhook: An HTTP or HTTPS URL must be provided for webhook")
    secret = parameters.text("secret_token")
    if secret and not _SECRET.match(secret):
        raise bad_request("secret token contains unallowed characters")
    connections = parameters.integer("max_connections", 40)
    if connections not in _CONNECTIONS:
        raise bad_request("max_connections must be between 1 and 100")
    return Webhook(address, secret, connections)


def _take_allowed_updates(call: Call, bot: Bot, parameters: Parameters) -> None:
    if not parameters.has("allowed_updates"):
        return
    given: list[Any] = parameters.sequence("allowed_updates") or []
    names = [name for name in given if isinstance(name, str)]
    if names != (bot.allowed_updates or []):
        bot.allowed_updates = names or None
        call.world.keep_bot(bot)
