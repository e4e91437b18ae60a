"""Endpoints that script the server itself: bots, faults, limits, statistics."""

from dataclasses import asdict, replace

from bot.channels.telegram.simulator.acting.seats import find_bot
from bot.channels.telegram.simulator.acting.views import bot_view
from bot.channels.telegram.simulator.config import BotAccount
from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.tokens import new_bot_token

from .answers import Ask


async def create_bot(ask: Ask) -> Json:
    """Register a bot; the answer is the one place that shows its token."""
    username, name = ask.given.text("username").strip(), ask.given.text("name").strip()
    if not username or not name:
        raise bad_request("username and name are required")
    token = ask.given.text("token") or new_bot_token()
    bot = ask.simulator.add_bot(BotAccount(token, username, name, reads_groups=ask.given.flag("reads_groups")))
    return {**bot_view(bot), "token": bot.token}


async def remove_bot(ask: Ask) -> Json:
    """Forget a bot with its chats."""
    bot = find_bot(ask.simulator, ask.part("bot"))
    ask.simulator.remove_bot(bot)
    return bot_view(bot)


async def revoke_token(ask: Ask) -> Json:
    """Give a bot a new token; the old one is answered with 401 from now on."""
    bot = find_bot(ask.simulator, ask.part("bot"))
    secret = new_bot_token().partition(":")[2]
    account = BotAccount(f"{bot.id}:{secret}", bot.username, bot.name, reads_groups=bot.reads_groups)
    return {**bot_view(ask.simulator.add_bot(account)), "token": bot.token}


async def list_faults(ask: Ask) -> list[Json]:
    """The rules in force, with how often each has struck."""
    return [rule.as_json() for rule in ask.simulator.faults.rules]


async def add_fault(ask: Ask) -> Json:
    """Put a rule in force."""
    return ask.simulator.faults.add(ask.given).as_json()


async def lift_faults(ask: Ask) -> Json:
    """Lift one rule, or all."""
    rule_id = ask.path.get("fault")
    return {"lifted": ask.simulator.faults.remove(rule_id)}


async def show_limits(ask: Ask) -> Json:
    """The sending limits."""
    return asdict(ask.simulator.pacer.limits)


async def change_limits(ask: Ask) -> Json:
    """Change the sending limits; `is_enforced: false` lifts them all."""
    old = ask.simulator.pacer.limits
    limits = replace(
        old,
        is_enforced=ask.given.flag("is_enforced", default=old.is_enforced),
        per_second=ask.given.number("per_second", old.per_second),
        chat_per_second=ask.given.number("chat_per_second", old.chat_per_second),
        chat_burst=ask.given.integer("chat_burst", old.chat_burst),
        group_per_minute=ask.given.number("group_per_minute", old.group_per_minute),
    )
    rates = (limits.per_second, limits.chat_per_second, limits.chat_burst, limits.group_per_minute)
    if min(rates) <= 0:
        raise bad_request("limits must be above 0; lift them with is_enforced: false")
    ask.simulator.pacer.limits = limits
    return asdict(limits)


async def show_statistics(ask: Ask) -> Json:
    """How often each method was called, and with what outcome."""
    return ask.simulator.statistics.as_json()
