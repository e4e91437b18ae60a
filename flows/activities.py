"""Activities: looking what is on, registering, waiting, cancelling, checking in at the door, saying how it was."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.activities.errors import ActivityNotFound
from crm.activities.service import attending, offering, registering
from crm.activities.types import OfferedActivity, RegistrationStatus
from crm.kit.errors import DomainError
from flows import survey
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.engine.questions import Text
from flows.steps import activity_words, loyalty_words
from flows.steps.numbers import number_in
from flows.steps.patience import A_DAY, leaves_quietly

_MAX_CODE = 80
_YES, _NO = "yes", "no"


@flow(
    "activities",
    starts=[
        Command("activities"),
        Keyword("活动", "线下活动", "活动报名", "我的活动", "activities", "activity", "events"),
        Button("activity"),
    ],
    is_parked=False,
)
@leaves_quietly
async def activities(chat: Chat, wanted: str = "") -> None:
    """Shows what is on, then one activity, and asks before anything is booked or given up."""
    await chat.member()
    zone = ZoneInfo(await chat.look(activity_words.brand_zone))
    activity_id = number_in(wanted)
    if activity_id is None:
        await _list(chat, zone)
        return
    try:
        offer = await chat.look(offering.one, activity_id)
    except ActivityNotFound:
        await chat.say("activities/gone", buttons=[[Opens("activity")]])
        return
    shown = activity_words.of_offer(offer, zone)
    await chat.say("activities/shown", photo=offer.activity.photo_media_id, **shown)
    if offer.registration is not None:
        await _mine(chat, offer, shown)
    elif offer.why_not is not None:
        await _refuse(chat, offer.why_not)
    elif await chat.ask("activities/confirm", Choice(_YES, _NO, columns=2), timeout=A_DAY, **shown) == _YES:
        await _register(chat, activity_id, zone, shown)
    else:
        await chat.say("activities/left_it", buttons=[[Opens("activity")]])


async def _list(chat: Chat, zone: ZoneInfo) -> None:
    offers = await chat.look(offering.offered)
    if not offers:
        await chat.say("activities/none")
        return
    lines = [activity_words.of_offer(offer, zone) for offer in offers]
    buttons = [[Opens("activity", str(offer.activity.id), offer.activity.name)] for offer in offers]
    await chat.say("activities/pick", lines=lines, buttons=buttons)


async def _register(chat: Chat, activity_id: int, zone: ZoneInfo, shown: dict[str, Any]) -> None:
    try:
        made = await chat.do(registering.register, activity_id, key="register")
    except DomainError as error:
        said = loyalty_words.of_refusal(error, zone)
        await _refuse(chat, said.pop("why"), **said)
        return
    if made.status is RegistrationStatus.WAITING:
        await chat.say("activities/waiting", place_in_line=made.place_in_line, **shown)
        return
    await chat.say("activities/done", **shown)
    await _ticket(chat, activity_id, shown)


async def _mine(chat: Chat, offer: OfferedActivity, shown: dict[str, Any]) -> None:
    assert offer.registration is not None
    if offer.registration.status is RegistrationStatus.ATTENDED:
        button = [Opens("feedback", str(offer.activity.id))] if offer.activity.terms.survey_id else []
        await chat.say("activities/was_there", buttons=[button] if button else [])
        return
    if offer.registration.status is RegistrationStatus.WAITING:
        await chat.say("activities/waiting", place_in_line=offer.registration.place_in_line, **shown)
    else:
        await _ticket(chat, offer.activity.id, shown)
    if chat.now >= offer.activity.terms.starts_at:
        return
    if await chat.ask("activities/keep", Choice("keep", "cancel", columns=2), timeout=A_DAY, **shown) == "cancel":
        await _cancel(chat, offer)


async def _cancel(chat: Chat, offer: OfferedActivity) -> None:
    assert offer.registration is not None
    paid = offer.registration.points
    values: dict[str, Any] = {"points": paid, "gets_points_back": offer.gets_points_back}
    if await chat.ask("activities/confirm_cancel", Choice(_YES, _NO, columns=2), timeout=A_DAY, **values) == _NO:
        await chat.say("activities/kept")
        return
    try:
        done = await chat.do(registering.cancel, offer.activity.id, key="cancel")
    except DomainError as error:
        await _refuse(chat, error.code())
        return
    await chat.say("activities/cancelled", returned=paid - done.points if offer.gets_points_back else 0)


async def _ticket(chat: Chat, activity_id: int, shown: dict[str, Any]) -> None:
    found = await chat.do(activity_words.ticket, activity_id, key="ticket")
    if found is not None:
        await chat.say("activities/ticket", photo=UUID(found.picture), code=found.code, **shown)


async def _refuse(chat: Chat, why: str, **values: Any) -> None:
    await chat.say("activities/cannot", **loyalty_words.refused(why, **values), buttons=[[Opens("activity")]])


@flow(
    "attend",
    starts=[
        Command("attend"),
        Keyword("到场签到", "活动签到", "到场", "attend", "i am here", "i'm here"),
        Button("attend"),
    ],
    is_parked=False,
)
@leaves_quietly
async def attend(chat: Chat, said: str = "") -> None:
    """Checks in at an activity by the code at its door."""
    await chat.member()
    given = said or await chat.ask("activities/ask_code", Text(_MAX_CODE), timeout=A_DAY)
    try:
        came = await chat.do(attending.by_door, given, key="attend")
    except DomainError as error:
        await chat.say("activities/not_in", why=error.code(), buttons=[[Opens("attend"), Opens("activity")]])
        return
    await chat.say("activities/came_in", name=came.name, is_new=came.is_new)


@flow("feedback", starts=[Command("feedback"), Keyword("活动反馈", "feedback"), Button("feedback")])
@leaves_quietly
async def feedback(chat: Chat, about: str = "") -> None:
    """Asks those who came how it was."""
    await chat.member()
    key = await chat.look(attending.survey_to_answer, number_in(about))
    if key is None:
        await chat.say("activities/no_feedback", buttons=[[Opens("activity")]])
        return
    await chat.call(survey.survey, key)
