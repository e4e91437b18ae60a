"""Sign-up: consent first, a name, then three things that may be skipped and told later through the profile."""

from datetime import date, timedelta
from typing import Any

from crm.members import service as members
from crm.members.types import MemberChanges
from crm.sign_ups import service as sign_ups
from flows.engine.chat import Chat
from flows.engine.choices import Choice, Choices, Skippable
from flows.engine.errors import AnswerTimedOut
from flows.engine.flow import Button, Command, Keyword, flow
from flows.engine.questions import Date, Phone
from flows.menu import MENU
from flows.steps import interests
from flows.steps.house import House, house
from flows.steps.name import Name
from flows.steps.patience import A_DAY, SOME_DAYS, leaves_quietly

EARLIEST_BIRTHDAY = date(1900, 1, 1)
_REMIND = timedelta(hours=3)


@flow("sign_up", starts=[Command("join"), Keyword("注册", "加入", "入会", "join", "sign up"), Button("sign_up")])
@leaves_quietly
async def sign_up(chat: Chat) -> None:
    """Leads a stranger in; who declines stays a stranger."""
    known = await chat.look(members.get)
    if known.is_signed_up:
        await chat.say("sign_up/already", name=known.display_name, menu=MENU)
        return
    brand = await chat.look(house)
    agreed = await _consent(chat, brand)
    if agreed == "later":
        await chat.say("sign_up/declined")
        return
    proof = chat.said_in
    name = await chat.ask("sign_up/name", Name(known.display_name), remind=_REMIND, timeout=SOME_DAYS)
    await chat.do(members.change, MemberChanges(display_name=name), by="member")
    result = await chat.do(
        sign_ups.complete,
        channel=chat.channel,
        terms_version=brand.terms_version,
        wants_news=agreed == "news",
        proof=proof,
    )
    await chat.say("sign_up/welcome", name=name, points=result.points, pending=result.pending)
    try:
        is_incomplete = await _optional_parts(chat, brand)
    except AnswerTimedOut:
        await chat.say("sign_up/done", is_incomplete=True, menu=MENU)
        chat.end()
    await chat.say("sign_up/done", is_incomplete=is_incomplete, menu=MENU)


async def _consent(chat: Chat, brand: House) -> str:
    choices = ["news", "agree", "later"]
    if len(brand.locales) > 1:
        choices.append("language")
    values: dict[str, Any] = {"brand": brand.name, "terms": brand.terms, "version": brand.terms_version}
    question = Choice(*choices)
    while (
        answer := await chat.ask("sign_up/consent", question, timeout=SOME_DAYS, stays=True, **values)
    ) == "language":
        member = await chat.look(members.get)
        other = next(locale for locale in brand.locales if locale != member.locale)
        await chat.do(members.change, MemberChanges(locale=other), by="member", key="language")
    return answer


async def _optional_parts(chat: Chat, brand: House) -> bool:
    phone = await chat.ask("sign_up/phone", Skippable(Phone(region=brand.region)), remind=_REMIND, timeout=A_DAY)
    if phone is not None:
        await chat.do(members.set_phone, phone.number, is_verified=phone.is_verified)
    latest = chat.now.date()
    birthday = await chat.ask(
        "sign_up/birthday", Skippable(Date(EARLIEST_BIRTHDAY, latest)), remind=_REMIND, timeout=A_DAY
    )
    if birthday is not None:
        await chat.do(members.change, MemberChanges(birthday=birthday), by="member", key="birthday")
    offered = interests.options(await chat.look(interests.offered))
    liked = await chat.ask("sign_up/interests", Skippable(Choices(*offered, columns=2)), remind=_REMIND, timeout=A_DAY)
    if liked:
        await chat.do(interests.choose, liked, "sign_up")
    return phone is None or birthday is None or not liked
