"""Who the bot is and what it shows of itself: getMe, commands, menu button, names."""

import re
from typing import Any

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json

from .call import Call

_MOST_COMMANDS = 100
_LONGEST_DESCRIPTION = 256
_COMMAND = re.compile(r"\A[a-z0-9_]{1,32}\Z")
_SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}


async def get_me(call: Call) -> Json:
    """Say who the bot is."""
    return {
        **call.bot.as_user(),
        "can_join_groups": True,
        "can_read_all_group_messages": call.bot.reads_groups,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


async def log_out(_call: Call) -> bool:
    """Leave the cloud server; a simulated bot may come back at once."""
    return True


async def close(_call: Call) -> bool:
    """Close the bot's instance before moving it."""
    return True


async def set_my_commands(call: Call) -> bool:
    """Set the command list for a scope and a language."""
    raw = call.parameters.sequence("commands") or []
    if len(raw) > _MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    call.bot.commands[_place(call)] = [_command(item) for item in raw]
    _changed(call)
    return True


async def get_my_commands(call: Call) -> list[Json]:
    """Give the command list of a scope and a language."""
    return call.bot.commands.get(_place(call), [])


async def delete_my_commands(call: Call) -> bool:
    """Remove the command list of a scope and a language."""
    call.bot.commands.pop(_place(call), None)
    _changed(call)
    return True


async def set_chat_menu_button(call: Call) -> bool:
    """Set the button beside the text field, for one chat or for all."""
    button = call.parameters.mapping("menu_button") or {"type": "default"}
    if button.get("type") not in {"default", "commands", "web_app"}:
        raise bad_request("can't parse menu button: unsupported type")
    call.bot.menu_buttons[call.parameters.text("chat_id") or "default"] = button
    _changed(call)
    return True


async def get_chat_menu_button(call: Call) -> Json:
    """Give the button beside the text field."""
    buttons = call.bot.menu_buttons
    place = call.parameters.text("chat_id") or "default"
    return buttons.get(place) or buttons.get("default") or {"type": "commands"}


async def set_my_name(call: Call) -> bool:
    """Change the bot's name for a language; the default changes what people see."""
    return _set_text(call, "name", 64)


async def get_my_name(call: Call) -> Json:
    """Give the bot's name for a language."""
    return {"name": _text(call, "name") or call.bot.name}


async def set_my_description(call: Call) -> bool:
    """Change what an empty chat shows."""
    return _set_text(call, "description", 512)


async def get_my_description(call: Call) -> Json:
    """Give what an empty chat shows."""
    return {"description": _text(call, "description") or call.bot.description}


async def set_my_short_description(call: Call) -> bool:
    """Change the line on the bot's profile."""
    return _set_text(call, "short_description", 120)


async def get_my_short_description(call: Call) -> Json:
    """Give the line on the bot's profile."""
    return {"short_description": _text(call, "short_description") or call.bot.short_description}


def commands_for(commands: dict[str, list[Json]], chat_id: int, language: str) -> list[Json]:
    """The list that a person sees, from the narrowest scope and language that has one."""
    scopes = [f"chat/{chat_id}", "all_private_chats" if chat_id > 0 else "all_group_chats"]
    short = language.split("-", maxsplit=1)[0].lower()
    for scope in (*scopes, "default"):
        for code in (short, ""):
            if commands.get(f"{scope}|{code}"):
                return commands[f"{scope}|{code}"]
    return []


def _place(call: Call) -> str:
    scope = call.parameters.mapping("scope") or {"type": "default"}
    kind = str(scope.get("type"))
    if kind not in _SCOPES:
        raise bad_request(f"can't parse BotCommandScope: unsupported type {kind!r}")
    language = call.parameters.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    return "/".join((kind, *(str(scope.get(name)) for name in _SCOPES[kind]))) + f"|{language}"


def _command(raw: Any) -> Json:
    if not isinstance(raw, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    name = str(raw.get("command", "")).removeprefix("/")
    description = str(raw.get("description", "")).strip()
    if not _COMMAND.match(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= _LONGEST_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


def _set_text(call: Call, name: str, longest: int) -> bool:
    text = call.parameters.text(name)
    if len(text) > longest:
        raise bad_request(f"{name} is too long: at most {longest} characters")
    language = call.parameters.text("language_code")
    call.bot.localised[f"{name}|{language}"] = text
    if not language and (text or name != "name"):
        setattr(call.bot, name, text)
    _changed(call)
    return True


def _text(call: Call, name: str) -> str:
    return call.bot.localised.get(f"{name}|{call.parameters.text('language_code')}", "")


def _changed(call: Call) -> None:
    call.world.keep_bot(call.bot)
    for dialog in call.world.dialogs.values():
        if dialog.bot_id == call.bot.id and dialog.is_started:
            call.world.announce({"type": "chat"}, dialog)
