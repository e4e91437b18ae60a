"""My profile: what the brand knows, and a button for each thing that can be changed."""

from typing import Any

from crm.members import service as members
from crm.members.types import Member, MemberChanges
from crm.missions.service import badges
from flows import language
from flows.engine.chat import Chat
from flows.engine.choices import Choice, Choices
from flows.engine.flow import Button, Command, Keyword, flow
from flows.engine.questions import Date, Phone
from flows.sign_up import EARLIEST_BIRTHDAY
from flows.steps import interests, zones
from flows.steps.city import choose_zone
from flows.steps.house import house
from flows.steps.name import Name
from flows.steps.patience import A_DAY, leaves_quietly


@flow(
    "profile",
    starts=[
        Command("profile"),
        Keyword("资料", "我的资料", "个人资料", "profile", "my profile"),
        Button("profile"),
    ],
    is_parked=False,
)
@leaves_quietly
async def profile(chat: Chat) -> None:
    """Shows the card again after each change, until all is good."""
    await chat.member()
    while (part := await _card(chat)) != "close":
        if part == "time_zone":
            await choose_zone(chat)
        elif part == "language":
            await chat.call(language.language)
        else:
            await _change(chat, part)
            await chat.say("profile/saved")
    await chat.say("profile/closed")


async def _card(chat: Chat) -> str:
    known = await chat.look(members.get)
    liked = await chat.look(interests.chosen)
    zone = await chat.look(zones.current)
    held = await chat.look(badges.of_member)
    parts = ["name", "phone", "birthday", "interests", "time_zone"]
    if len((await chat.look(house)).locales) > 1:
        parts.append("language")
    return await chat.ask(
        "profile/card",
        Choice(*parts, "close", columns=2),
        timeout=A_DAY,
        badges=[{"emoji": one.badge.emoji, "name": one.badge.name} for one in held],
        **_values(known, liked, zone),
    )


def _values(known: Member, liked: list[str], zone: str) -> dict[str, Any]:
    following = known.next_time_zone if known.zone_changes_at is not None else None
    return {
        "name": known.display_name,
        "phone": known.phone_masked,
        "is_verified": known.is_phone_verified,
        "birthday": known.birthday,
        "interests": interests.labels(liked),
        "zone": zones.cities(zone),
        "next_zone": zones.cities(following) if following not in {None, zone} else None,
    }


async def _change(chat: Chat, part: str) -> None:
    match part:
        case "name":
            name = await chat.ask("profile/name", Name(), timeout=A_DAY)
            await chat.do(members.change, MemberChanges(display_name=name), by="member", key="name")
        case "phone":
            phone = await chat.ask("profile/phone", Phone(region=(await chat.look(house)).region), timeout=A_DAY)
            await chat.do(members.set_phone, phone.number, is_verified=phone.is_verified)
        case "birthday":
            birthday = await chat.ask("profile/birthday", Date(EARLIEST_BIRTHDAY, chat.now.date()), timeout=A_DAY)
            await chat.do(members.change, MemberChanges(birthday=birthday), by="member", key="birthday")
        case "interests":
            offered = interests.options(await chat.look(interests.offered))
            before = await chat.look(interests.chosen)
            liked = await chat.ask("sign_up/interests", Choices(*offered, chosen=before, columns=2), timeout=A_DAY)
            await chat.do(interests.choose, liked, "profile")
