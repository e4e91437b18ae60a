"""Pure decisions about sources: what a code looks like, and the address that carries it."""

import re
from urllib.parse import quote

from crm.bots.types import Bot

CODE = re.compile(r"[A-Za-z0-9_-]{11,64}")
CODE_BYTES = 12
TEMPLATE = "start_link"
"""Setting of a bot that overrides the address, with `{code}` in it."""


def link(bot: Bot, code: str, public_url: str) -> str | None:
    """The address that opens `bot` with `code`; None when the bot has no public address."""
    template = bot.settings.get(TEMPLATE)
    if isinstance(template, str) and "{code}" in template:
        return template.replace("{code}", code)
    if bot.channel == "webchat":
        return f"{public_url.rstrip('/')}/chat?start={code}"
    if bot.channel == "telegram" and bot.username:
        return f"https://t.me/{quote(bot.username.removeprefix('@'), safe='')}?start={code}"
    return None
