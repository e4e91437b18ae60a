"""The language that a member is spoken to in."""

from crm.members import service as members
from crm.members.types import MemberChanges
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, flow
from flows.engine.reading import Option
from flows.menu import MENU
from flows.steps.house import house
from flows.steps.patience import A_DAY, leaves_quietly

NAMES = {"zh-CN": "中文", "en": "English"}


@flow(
    "language",
    starts=[Command("language"), Keyword("语言", "language", "中文", "english", "英文"), Button("language")],
    is_parked=False,
)
@leaves_quietly
async def language(chat: Chat) -> None:
    """Changes it at once, the persistent menu's labels included."""
    brand = await chat.look(house)
    if len(brand.locales) == 1:
        await chat.say("language/only_one")
        return
    options = [Option(locale, NAMES.get(locale, locale)) for locale in brand.locales]
    wanted = await chat.ask("language/ask", Choice(*options, columns=2), timeout=A_DAY)
    member = await chat.do(members.change, MemberChanges(locale=wanted), by="member")
    if member.is_signed_up:
        await chat.say("language/changed", menu=MENU)
    else:
        await chat.say("language/changed", key="changed_for_a_stranger")
