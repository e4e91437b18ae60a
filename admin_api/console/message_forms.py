"""The composer on every page that has one: what it offers, what it posts, how its preview is drawn."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Form
from pydantic import Field, ValidationError

from admin_api.addresses import ROOT
from admin_api.console import json_fields
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import reason, say
from admin_api.edge import Edge
from admin_api.message_bodies import MessageBody, content_of
from admin_api.schemas import Body
from crm.activities.service import definitions as activities
from crm.activities.types import ActivityStatus
from crm.consent import service as consent
from crm.deliveries.types import MessageClass
from crm.kit.errors import DomainError, InvalidError
from crm.kit.localized import LOCALES
from crm.members import service as members
from crm.members.types import MemberQuery
from crm.messages import service as messages
from crm.messages.errors import TemplateProblemsError
from crm.messages.types import ButtonSpec, MessageContent, Outbound
from crm.operators.permissions import Permission
from crm.surveys import service as surveys
from crm.surveys.types import SurveyStatus

PREVIEW_URL = f"{ROOT}/messages/preview"
READERS_URL = f"{ROOT}/messages/readers"
PHOTO_URL = "/api/v1/media"
MessageField = Annotated[str, Form(max_length=json_fields.MOST_CHARACTERS)]
_READERS = 20
_VARIABLES = {
    "member.name": "Name",
    "member.points": "Points",
    "member.streak": "Check-in streak",
    "member.tier": "Tier",
    "brand.name": "Brand",
}
_FLOWS = {
    "check_in": "Check in",
    "points": "My points",
    "rewards": "Rewards",
    "vouchers": "Vouchers",
    "sign_up": "Sign up",
    "survey": "Surveys that are open",
    "activity": "Activities",
    "profile": "My profile",
    "person": "Ask a person",
    "menu": "Main menu",
    "help": "Help",
    "language": "Language",
    "subscribe": "Subscribe to news",
    "stop": "Unsubscribe",
}


class PreviewBody(Body):
    """What the composer holds, the language on which it works, and the member who reads; perhaps nobody yet."""

    message: Any
    locale: Annotated[str, Field(max_length=16)] = ""
    member_id: Annotated[str, Field(max_length=18)] = ""


class UnknownClassError(InvalidError):
    """Choose one of the classes of messages."""


async def composer_values(edge: Edge) -> dict[str, Any]:
    """What a page with a composer needs besides the message itself."""
    return {
        "variables": [{"value": value, "label": say(edge, label)} for value, label in _VARIABLES.items()],
        "actions": await actions(edge),
        "readers": await readers(edge),
        "preview_url": PREVIEW_URL,
        "readers_url": READERS_URL if edge.may(Permission.MEMBERS_READ) else "",
        "photo_url": PHOTO_URL if edge.may(Permission.MEDIA_WRITE) else "",
    }


async def actions(edge: Edge) -> list[dict[str, str]]:
    """What a button may open: the conversations, surveys that members can answer, activities that they can come to."""
    found = await surveys.listing(edge.session, status=SurveyStatus.PUBLISHED)
    prefix = say(edge, "Survey")
    flows = [{"value": name, "label": say(edge, label)} for name, label in _FLOWS.items()]
    asked = [{"value": f"survey:{item.key}", "label": f"{prefix}: {item.name}"} for item in found]
    shown = await activities.listing(edge.session, status=ActivityStatus.PUBLISHED)
    prefix = say(edge, "Brand event")
    return (
        flows
        + asked
        + [
            {"value": f"activity:{item.id}", "label": f"{prefix}: {in_locale(edge.acting, item.name)}"}
            for item in shown
        ]
    )


async def readers(edge: Edge, query: str = "") -> list[dict[str, Any]]:
    """Members whom a preview can be for; nobody for operators who may not see members."""
    if not edge.may(Permission.MEMBERS_READ):
        return []
    page = await members.page(edge.session, MemberQuery(query=query, limit=_READERS))
    return [{"id": item.id, "name": item.display_name, "locale": item.locale} for item in page.items]


def typed_message(source: str) -> MessageBody:
    """What the composer posted. Raises UnreadableFieldError."""
    return message_of(json_fields.read(source))


def message_of(value: Any) -> MessageBody:
    """The message in the composer's shape. Raises UnreadableFieldError."""
    try:
        return MessageBody.model_validate(value)
    except ValidationError as wrong:
        raise json_fields.UnreadableFieldError from wrong


def is_blank(value: Any) -> bool:
    """Whether nothing is written yet: no text, no picture, no button."""
    return isinstance(value, dict) and not any(value.get(name) for name in ("text", "buttons", "photo_media_id"))


def composer_message(content: MessageContent) -> dict[str, Any]:
    """A stored message in the composer's shape."""
    shown: dict[str, Any] = {
        "text": dict(content.text),
        "buttons": [[_button(spec) for spec in row] for row in content.buttons],
    }
    if content.photo_media_id is not None:
        shown["photo_media_id"] = str(content.photo_media_id)
    return shown


def _button(spec: ButtonSpec) -> dict[str, Any]:
    given = {"url": spec.url, "action": spec.opens, "tag": spec.tag}
    return {"label": dict(spec.label), **{key: value for key, value in given.items() if value}}


def bubble(message: Outbound) -> dict[str, Any]:
    """A rendered message as the components for conversations draw it."""
    return {
        "text": message.text_html,
        "html": True,
        "direction": "in",
        "photo_url": f"{PHOTO_URL}/{message.photo_media_id}" if message.photo_media_id else "",
        "buttons": [[{"label": button.label, "url": button.url} for button in row] for row in message.buttons],
    }


async def sending_options(edge: Edge) -> dict[str, Any]:
    """Topics and classes as a form offers them."""
    locale = edge.acting.locale
    topics = [
        {"value": topic.key, "label": topic.name.get(locale) or topic.name.get("en") or topic.key}
        for topic in await consent.topics(edge.session)
    ]
    classes = [
        (MessageClass.MARKETING, "Marketing", "Consent, quiet hours and caps apply."),
        (MessageClass.RECEIPT, "Receipt", "Something that members are owed: always goes out."),
    ]
    shown = [{"value": item.value, "label": say(edge, label), "help": say(edge, text)} for item, label, text in classes]
    return {"topics": topics, "classes": shown}


def message_class(text: str) -> MessageClass:
    """The class that was chosen; replies are no choice. Raises UnknownClassError."""
    try:
        chosen = MessageClass(text or MessageClass.MARKETING)
    except ValueError as wrong:
        raise UnknownClassError from wrong
    if chosen is MessageClass.REPLY:
        raise UnknownClassError
    return chosen


async def typed_preview(edge: Edge, body: PreviewBody, begun: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What `messages/preview` draws of what stands in a composer, which may be nothing yet."""
    if is_blank(body.message):
        return {"bubbles": [], "problems": []}
    try:
        content = await content_of(edge.session, message_of(body.message))
    except DomainError as error:
        return {"bubbles": [], "problems": problem_words(edge, error)}
    return await preview(edge, content, body.member_id, body.locale, begun=begun)


async def preview(
    edge: Edge,
    content: MessageContent,
    member_id: str,
    locale: str = "",
    *,
    begun: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What `messages/preview` draws: the message as the member sees it, or why it cannot be drawn.

    `begun` are values for what a journey's text says of its trigger.
    """
    found = await readers(edge)
    reader = int(member_id) if member_id.isdecimal() else next((item["id"] for item in found), 0)
    if not reader:
        return {"bubbles": [], "problems": [say(edge, "A preview needs a member; nobody has come yet.")]}
    try:
        known = locale if locale in LOCALES else None
        shown = await messages.preview(edge.session, content, reader, locale=known, trigger=begun)
    except DomainError as error:
        return {"bubbles": [], "problems": problem_words(edge, error)}
    return {"bubbles": [bubble(shown)], "problems": []}


def problem_words(edge: Edge, error: DomainError) -> list[str]:
    """Every fault of a message with its place, or what the error says."""
    if not isinstance(error, TemplateProblemsError):
        return [reason(edge, error)]
    words = say(edge, "{place}, line {line}: {text}")
    return [
        words.replace("{place}", place_words(edge, item.place))
        .replace("{line}", str(item.line))
        .replace("{text}", say(edge, item.text))
        for item in error.problems
    ]


def place_words(edge: Edge, place: str) -> str:
    """A place such as `text.en` in words."""
    parts = place.split(".")
    names = {"text": "Text", "buttons": "Button", "label": "label", "url": "Address"}
    numbers = [str(int(part) + 1) if part.isdecimal() else say(edge, names.get(part, part)) for part in parts]
    return " ".join(numbers)
