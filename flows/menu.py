"""The menu: what the persistent buttons offer, and the greeting above them."""

from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, flow

MENU = (("check_in", "points"), ("rewards", "survey"), ("help",))
"""Rows of the flows that the persistent menu starts."""


@flow("menu", starts=[Command("menu"), Keyword("菜单", "主菜单", "menu"), Button("menu")])
async def menu(chat: Chat) -> None:
    """Shows what can be done."""
    await chat.say("menu/shown", menu=MENU)
