"""What a bot tells its server about itself: how updates come, its commands, its menu button."""

from typing import Any

from flows.commands import COMMANDS

from .access import Access
from .answers import Answer, Reply
from .keys import ALLOWED_UPDATES
from .transport import BotApi

Calls = list[tuple[str, dict[str, Any]]]
_READ_TIMEOUT = 10.0
_CONNECTIONS = 40
_MOST_COMMANDS, _LONGEST_DESCRIPTION = 100, 256
_PRIVATE = {"type": "all_private_chats"}


def by_webhook(url: str, secret: str) -> Calls:
    """The call that has updates pushed to `url`; waiting ones are kept."""
    values = {
        "url": url,
        "secret_token": secret,
        "allowed_updates": list(ALLOWED_UPDATES),
        "max_connections": _CONNECTIONS,
    }
    return [("setWebhook", values)]


def by_polling() -> Calls:
    """The call that lets updates wait until they are fetched; waiting ones are kept."""
    return [("deleteWebhook", {})]


def appearance(default_locale: str) -> Calls:
    """The calls that set the command list by language, and the menu button that shows it."""
    shown = COMMANDS.get(default_locale) or next(iter(COMMANDS.values()))
    lists = [("", shown), *((locale.partition("-")[0], commands) for locale, commands in COMMANDS.items())]
    return [
        *(("setMyCommands", _commands(language, commands)) for language, commands in lists),
        ("setChatMenuButton", {"menu_button": {"type": "commands"}}),
    ]


async def tell(api: BotApi, access: Access, calls: Calls) -> Reply | None:
    """Make the calls in order; the first reply that is not a yes, or None if all went well."""
    for method, values in calls:
        reply = await api.call(access, method, values, read_timeout=_READ_TIMEOUT)
        if not (isinstance(reply, Answer) and reply.is_ok):
            return reply
    return None


def _commands(language: str, commands: list[tuple[str, str]]) -> dict[str, Any]:
    listed = [
        {"command": name, "description": description[:_LONGEST_DESCRIPTION]}
        for name, description in commands[:_MOST_COMMANDS]
    ]
    values: dict[str, Any] = {"commands": listed, "scope": _PRIVATE}
    return {**values, "language_code": language} if language else values
