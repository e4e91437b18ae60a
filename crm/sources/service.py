"""Use cases of sources: making them, their addresses, and members coming through them."""

from io import BytesIO

import segno
from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.bots.types import Bot
from crm.events.catalogue import SourceTouched
from crm.events.service import publish
from crm.events.views import events
from crm.kit.ids import token
from crm.kit.text import clean_name, clean_text
from crm.members import attribution
from crm.profiles.views import profiles
from crm.sources import policy
from crm.sources.errors import InvalidSource, SourceNotFound
from crm.sources.models import SourceRow
from crm.sources.types import Source, SourceCounts, SourceFunnel, SourceKind, SourceLink
from crm.tags import service as member_tags

_MAX_TAGS, _MAX_WELCOME = 20, 1000


async def create(
    session: AsyncSession,
    name: str,
    *,
    tags: list[str] | None = None,
    welcome: dict[str, str] | None = None,
    kind: SourceKind | str = SourceKind.LINK,
) -> Source:
    """A new source with a code that cannot be guessed. Raises InvalidSource, InvalidTag."""
    row = SourceRow(
        code=_random_code(),
        name=_name(name),
        kind=_kind(kind),
        tags=await _tags(session, tags or []),
        welcome=_welcome(welcome or {}),
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return _source(row)


async def change(
    session: AsyncSession,
    source_id: int,
    *,
    name: str | None = None,
    tags: list[str] | None = None,
    welcome: dict[str, str] | None = None,
    is_archived: bool | None = None,
) -> Source:
    """Change what is given; the code stays, because it is printed somewhere. Raises SourceNotFound, InvalidSource."""
    row = await _row(session, source_id)
    row.name = row.name if name is None else _name(name)
    row.tags = row.tags if tags is None else await _tags(session, tags)
    row.welcome = row.welcome if welcome is None else _welcome(welcome)
    row.is_archived = row.is_archived if is_archived is None else is_archived
    await session.flush()
    return _source(row)


async def archive(session: AsyncSession, source_id: int) -> Source:
    """Its code opens the bot still, but is no longer counted. Raises SourceNotFound."""
    return await change(session, source_id, is_archived=True)


async def get(session: AsyncSession, source_id: int) -> Source:
    """One source. Raises SourceNotFound."""
    return _source(await _row(session, source_id))


async def listing(session: AsyncSession, *, with_archived: bool = False) -> list[Source]:
    """All sources, newest first."""
    query = select(SourceRow).order_by(SourceRow.id.desc())
    if not with_archived:
        query = query.where(SourceRow.is_archived.is_(False))
    return [_source(row) for row in await session.scalars(query)]


async def find(session: AsyncSession, code: str) -> Source | None:
    """The source of a code, archived ones too; None for anything that is no code."""
    if not policy.CODE.fullmatch(code):
        return None
    row = await session.scalar(select(SourceRow).where(SourceRow.code == code))
    return None if row is None else _source(row)


async def touch(session: AsyncSession, member_id: int, code: str, *, identity_id: int) -> Source | None:
    """The member came through `code`: first and last source, tags, an event. None when it is no source in use."""
    source = await find(session, code)
    if source is None or source.is_archived:
        return None
    is_first = await attribution.record_source(session, member_id, source.id)
    for tag in source.tags:
        await member_tags.add(session, member_id, tag, source="source", source_ref=str(source.id))
    await publish(
        session,
        SourceTouched(member_id=member_id, source_id=source.id, is_first=is_first),
        source=f"identity:{identity_id}",
    )
    return source


async def links(session: AsyncSession, source_id: int, *, public_url: str) -> list[SourceLink]:
    """The source's address on every active bot that has one. Raises SourceNotFound."""
    source = await get(session, source_id)
    found = [(bot, policy.link(bot, source.code, public_url)) for bot in await bots.listing(session, active_only=True)]
    return [SourceLink(bot.id, bot.channel, url) for bot, url in found if url is not None]


def address(bot: Bot, code: str, public_url: str) -> str | None:
    """The address that opens `bot` with any code of 64 characters or less; None when it has no public address."""
    return policy.link(bot, code, public_url)


def qr_png(url: str, *, scale: int = 8) -> bytes:
    """A QR code of `url` as PNG, `scale` pixels a module, with error correction that survives printing."""
    target = BytesIO()
    segno.make(url, error="m", micro=False).save(target, kind="png", scale=scale, border=4)
    return target.getvalue()


async def counts(session: AsyncSession, source_id: int) -> SourceCounts:
    """How many members came through the source."""
    first = select(func.count()).select_from(profiles).where(profiles.c.first_source_id == source_id)
    last = select(func.count()).select_from(profiles).where(profiles.c.last_source_id == source_id)
    is_touch = (events.c.kind == SourceTouched.kind, events.c.data["source_id"].as_integer() == source_id)
    touches = select(func.count()).select_from(events).where(*is_touch)
    found = (await session.scalars(union_all(first, last, touches))).all()
    return SourceCounts(*found)


async def funnels(session: AsyncSession) -> dict[int, SourceFunnel]:
    """By source id, for every source that somebody came through first; one statement for all."""
    figures = (
        func.count(),
        func.count().filter(profiles.c.signed_up_at.is_not(None)),
        func.count().filter(profiles.c.orders_count > 0),
    )
    query = select(profiles.c.first_source_id, *figures).where(profiles.c.first_source_id.is_not(None))
    rows = await session.execute(query.group_by(profiles.c.first_source_id))
    return {source_id: SourceFunnel(came, signed_up, ordered) for source_id, came, signed_up, ordered in rows}


def _random_code() -> str:
    code = token(size=policy.CODE_BYTES)
    return code if code[0] != "-" else _random_code()


def _name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidSource("a source needs a name")
    return cleaned


def _kind(kind: str) -> SourceKind:
    try:
        return SourceKind(kind)
    except ValueError as error:
        raise InvalidSource(f"a source is one of {', '.join(SourceKind)}") from error


async def _tags(session: AsyncSession, wanted: list[str]) -> list[str]:
    if len(wanted) > _MAX_TAGS:
        raise InvalidSource(f"a source adds at most {_MAX_TAGS} tags")
    found = [(await member_tags.usable(session, tag)).label for tag in wanted]
    return list(dict.fromkeys(found))


def _welcome(welcome: dict[str, str]) -> dict[str, str]:
    cleaned = {locale: clean_text(text).strip() for locale, text in welcome.items()}
    if any(len(text) > _MAX_WELCOME for text in cleaned.values()):
        raise InvalidSource(f"a welcome has at most {_MAX_WELCOME} characters")
    return {locale: text for locale, text in cleaned.items() if text}


async def _row(session: AsyncSession, source_id: int) -> SourceRow:
    row = await session.get(SourceRow, source_id)
    if row is None:
        raise SourceNotFound(source_id=source_id)
    return row


def _source(row: SourceRow) -> Source:
    return Source(
        id=row.id,
        code=row.code,
        name=row.name,
        kind=SourceKind(row.kind),
        tags=list(row.tags),
        welcome=dict(row.welcome),
        is_archived=row.is_archived,
        created_at=row.created_at,
    )
