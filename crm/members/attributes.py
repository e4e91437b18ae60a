"""Fields that operators add to members: their definitions, and the checking of values against them."""

import json
import math
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.kit.errors import NotFoundError
from crm.kit.text import clean_text
from crm.members.errors import AttributeTaken, InvalidAttribute, UnknownAttribute
from crm.members.models import AttributeDefinitionRow
from crm.members.repository import PERSONAL

_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
MAX_TEXT, MAX_CHOICES = 2000, 100


class AttributeType(StrEnum):
    """What an attribute holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"


@dataclass(frozen=True)
class AttributeDefinition:
    """One attribute that members may have."""

    key: str
    label: dict[str, str]
    """By locale."""
    type: AttributeType
    choices: list[str]
    """The values of a choice; empty for other types."""
    is_personal: bool
    """Sealed at rest, and shown only to those who may see personal data."""
    is_archived: bool


async def define(
    session: AsyncSession,
    key: str,
    *,
    label: dict[str, str],
    type: AttributeType | str,  # noqa: A002 - the glossary's name of the field
    choices: list[str] | None = None,
    is_personal: bool = False,
) -> AttributeDefinition:
    """A new attribute. Raises InvalidAttribute, AttributeTaken."""
    if not _KEY.fullmatch(key):
        raise InvalidAttribute("a key is 1 to 63 small letters, digits and underscores, and begins with a letter")
    if await session.get(AttributeDefinitionRow, key) is not None:
        raise AttributeTaken(f"the attribute {key} exists already")
    kind = _type(type)
    row = AttributeDefinitionRow(
        key=key, label=_label(label), type=kind, choices=_choices(kind, choices), is_personal=is_personal
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return _definition(row)


async def change_definition(
    session: AsyncSession,
    key: str,
    *,
    label: dict[str, str] | None = None,
    choices: list[str] | None = None,
    is_archived: bool | None = None,
) -> AttributeDefinition:
    """Change label or choices, archive or bring back; type and secrecy stay, because values exist."""
    row = await session.get(AttributeDefinitionRow, key)
    if row is None:
        raise NotFoundError(f"there is no attribute {key[:64]!r}")
    if label is not None:
        row.label = _label(label)
    if choices is not None:
        row.choices = _choices(AttributeType(row.type), choices)
    if is_archived is not None:
        row.is_archived = is_archived
    await session.flush()
    return _definition(row)


async def definitions(session: AsyncSession, *, with_archived: bool = False) -> list[AttributeDefinition]:
    """All definitions by key."""
    query = select(AttributeDefinitionRow).order_by(AttributeDefinitionRow.key)
    if not with_archived:
        query = query.where(AttributeDefinitionRow.is_archived.is_(False))
    return [_definition(row) for row in await session.scalars(query)]


def checked_value(definition: AttributeDefinition, value: Any) -> Any:
    """`value` as it is stored (JSON) when it fits the definition. Raises InvalidAttribute."""
    match definition.type:
        case AttributeType.TEXT if isinstance(value, str) and len(value) <= MAX_TEXT:
            return clean_text(value).strip()
        case AttributeType.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value):
                return value
        case AttributeType.BOOLEAN if isinstance(value, bool):
            return value
        case AttributeType.CHOICE if isinstance(value, str) and value in definition.choices:
            return value
        case AttributeType.DATE if isinstance(value, str | date):
            return _iso_date(definition, str(value))
        case _:
            pass
    raise InvalidAttribute(f"{definition.key} {_EXPECTED[definition.type]}", key=definition.key)


_EXPECTED = {
    AttributeType.TEXT: f"takes a text of at most {MAX_TEXT} characters",
    AttributeType.NUMBER: "takes a finite number",
    AttributeType.DATE: "takes a date such as 1990-12-31",
    AttributeType.BOOLEAN: "takes true or false",
    AttributeType.CHOICE: "takes one of its choices only",
}


async def split_patch(session: AsyncSession, patch: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A merge patch checked and parted into (plain, personal). Raises UnknownAttribute, InvalidAttribute."""
    if not patch:
        return {}, {}
    known = {item.key: item for item in await definitions(session)}
    plain: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for key, value in patch.items():
        if key not in known:
            raise UnknownAttribute(f"the attribute {key[:64]!r} is not defined; define it in the settings first")
        part = personal if known[key].is_personal else plain
        part[key] = None if value is None else checked_value(known[key], value)
    return plain, personal


def patched(values: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """`values` with `patch` applied: None removes a key."""
    return {key: value for key, value in {**values, **patch}.items() if value is not None}


def open_personal(session: AsyncSession, member_id: int, sealed: bytes | None) -> dict[str, Any]:
    """The personal attributes of a member, from their sealed form."""
    if sealed is None:
        return {}
    opened: dict[str, Any] = json.loads(vault(session).open(sealed, f"{PERSONAL}:{member_id}"))
    return opened


def seal_personal(session: AsyncSession, member_id: int, values: dict[str, Any]) -> bytes | None:
    """The sealed form of personal attributes; None when there are none."""
    if not values:
        return None
    return vault(session).seal(json.dumps(values, ensure_ascii=False), f"{PERSONAL}:{member_id}")


def _iso_date(definition: AttributeDefinition, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InvalidAttribute(f"{definition.key} {_EXPECTED[AttributeType.DATE]}", key=definition.key) from error


def _type(name: str) -> AttributeType:
    try:
        return AttributeType(name)
    except ValueError as error:
        raise InvalidAttribute(f"an attribute's type is one of {', '.join(AttributeType)}") from error


def _label(label: dict[str, str]) -> dict[str, str]:
    cleaned = {locale: clean_text(text).strip() for locale, text in label.items()}
    if not cleaned or not all(cleaned.values()):
        raise InvalidAttribute("an attribute needs a label in at least one language, none of them empty")
    return cleaned


def _choices(kind: AttributeType, choices: list[str] | None) -> list[str]:
    found = list(dict.fromkeys(clean_text(choice).strip() for choice in choices or []))
    if kind is not AttributeType.CHOICE:
        return []
    if not found or not all(found) or len(found) > MAX_CHOICES:
        raise InvalidAttribute(f"a choice needs 1 to {MAX_CHOICES} values, none of them empty")
    return found


def _definition(row: AttributeDefinitionRow) -> AttributeDefinition:
    return AttributeDefinition(
        row.key, dict(row.label), AttributeType(row.type), list(row.choices), row.is_personal, row.is_archived
    )
