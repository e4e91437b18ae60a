"""Words to which operators attach an answer, a tag or a flow, for texts that nothing else understands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import KeywordRow
from crm.kit.errors import InvalidError, NotFoundError
from crm.kit.text import clean_text

MAX_WORD = 100


class KeywordNotFound(NotFoundError):
    """There is no such keyword."""


class InvalidKeyword(InvalidError):
    """A keyword needs a name, words of at most 100 characters, and a reply, a tag or a flow."""


class Match(StrEnum):
    """How a text is compared with the words; case never counts."""

    EXACT = "exact"
    CONTAINS = "contains"


@dataclass(frozen=True)
class NewKeyword:
    """What an operator writes. A higher `priority` is looked at first; `reply` is plain text by locale."""

    name: str
    words: list[str]
    match: Match = Match.EXACT
    priority: int = 0
    tag: str | None = None
    flow: str | None = None
    reply: dict[str, str] = field(default_factory=dict)
    is_active: bool = True


@dataclass(frozen=True)
class Keyword(NewKeyword):
    """A keyword as it is stored."""

    id: int = 0


async def create(session: AsyncSession, keyword: NewKeyword) -> Keyword:
    """Store a keyword. Raises InvalidKeyword."""
    row = await session.execute(insert(KeywordRow).values(_values(keyword)).returning(KeywordRow))
    return _keyword(row.scalar_one())


async def change(session: AsyncSession, keyword_id: int, keyword: NewKeyword) -> Keyword:
    """Replace a keyword. Raises InvalidKeyword, KeywordNotFound."""
    query = update(KeywordRow).where(KeywordRow.id == keyword_id).values(_values(keyword)).returning(KeywordRow)
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise KeywordNotFound
    return _keyword(row)


async def get(session: AsyncSession, keyword_id: int) -> Keyword:
    """One keyword. Raises KeywordNotFound."""
    row = await session.get(KeywordRow, keyword_id, populate_existing=True)
    if row is None:
        raise KeywordNotFound
    return _keyword(row)


async def listing(session: AsyncSession) -> list[Keyword]:
    """All keywords in the order in which they are looked at."""
    rows = await session.scalars(select(KeywordRow).order_by(KeywordRow.priority.desc(), KeywordRow.id))
    return [_keyword(row) for row in rows]


async def match(session: AsyncSession, text: str) -> Keyword | None:
    """The active keyword of the highest priority that `text` matches."""
    active = select(KeywordRow).where(KeywordRow.is_active.is_(True))
    rows = await session.scalars(active.order_by(KeywordRow.priority.desc(), KeywordRow.id))
    return next((keyword for keyword in map(_keyword, rows) if matches(keyword, text)), None)


def matches(keyword: NewKeyword, text: str) -> bool:
    """Whether the text is one of the words, or contains one."""
    said = text.strip().casefold()
    words = [word.casefold() for word in keyword.words]
    return said in words if keyword.match is Match.EXACT else any(word in said for word in words)


def reply_in(reply: Mapping[str, str], locale: str) -> str | None:
    """The reply in `locale`, else in English, else in any language."""
    return reply.get(locale) or reply.get("en") or next(iter(reply.values()), None)


def _values(keyword: NewKeyword) -> dict[str, Any]:
    words = _words(keyword.words)
    reply = {locale: clean_text(text).strip() for locale, text in keyword.reply.items() if text.strip()}
    if not keyword.name.strip() or not words or not (reply or keyword.tag or keyword.flow):
        raise InvalidKeyword
    return {
        "name": clean_text(keyword.name).strip(),
        "words": words,
        "match": keyword.match,
        "priority": keyword.priority,
        "tag": keyword.tag,
        "flow": keyword.flow,
        "reply": reply,
        "is_active": keyword.is_active,
    }


def _words(given: Sequence[str]) -> list[str]:
    words = [clean_text(word).strip() for word in given if word.strip()]
    if any(len(word) > MAX_WORD for word in words):
        raise InvalidKeyword
    return words


def _keyword(row: KeywordRow) -> Keyword:
    return Keyword(
        id=row.id,
        name=row.name,
        words=row.words,
        match=Match(row.match),
        priority=row.priority,
        tag=row.tag,
        flow=row.flow,
        reply=row.reply or {},
        is_active=row.is_active,
    )
