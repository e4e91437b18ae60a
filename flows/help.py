"""Help: what can be said, and the way to a person."""

from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Menu, Opens, flow


@flow(
    "help",
    starts=[
        Command("help"),
        Keyword("帮助", "help", "?", "？"),
        Menu({"zh-CN": "💬 帮助", "en": "💬 Help"}),
        Button("help"),
    ],
)
async def show_help(chat: Chat) -> None:
    """Lists what can be said."""
    await chat.say("help/shown", buttons=[[Opens("person"), Opens("profile")]])
