"""Sorts inputs before any conversation sees them, and cleans what people wrote. Pure."""

from dataclasses import dataclass, replace
from enum import Enum, auto
from uuid import UUID

from bot.types import InboundInput, InputKind
from crm.kit.text import clean_text, cut_bytes
from flows.engine.inputs import Input
from flows.engine.inputs import InputKind as EngineKind

MAX_PAYLOAD = 64
_SPOKEN = {kind: EngineKind(kind.value) for kind in InputKind if kind.value in {item.value for item in EngineKind}}


class Reception(Enum):
    """Who takes care of an input."""

    CONVERSATION = auto()
    GROUP = auto()
    REACHABILITY = auto()


@dataclass(frozen=True)
class Heard:
    """An input that is safe to store and show; `is_cut` if the text was too long to keep whole."""

    given: InboundInput
    is_cut: bool


def reception(kind: InputKind) -> Reception:
    """Who takes care of inputs of this kind."""
    if kind is InputKind.GROUP:
        return Reception.GROUP
    if kind in {InputKind.BLOCKED, InputKind.UNBLOCKED}:
        return Reception.REACHABILITY
    return Reception.CONVERSATION


def hear(given: InboundInput) -> Heard:
    """Text without NUL and lone surrogates, cut at 16 KB; a payload that no link of ours can carry is dropped."""
    text, is_cut = cut_bytes(clean_text(given.text))
    payload = given.payload if given.payload and len(given.payload) <= MAX_PAYLOAD else None
    return Heard(replace(given, text=text, payload=payload and clean_text(payload)), is_cut)


def as_input(given: InboundInput, update_id: UUID) -> Input:
    """What the flow engine is given of it."""
    contact, place = given.contact, given.location
    return Input(
        kind=_SPOKEN[given.kind],
        text=given.text,
        data=given.data,
        payload=given.payload,
        phone=contact.phone if contact else None,
        is_own_phone=contact.is_own if contact else False,
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
        photo=given.photo,
        message_ref=given.message_ref,
        said_in=f"update:{update_id}",
    )
