"""Messages: texts of conversations, contents for recipients, previews, and the operators' library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, cast, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.db import clock
from crm.db.prepared import Prepared
from crm.media import service as media
from crm.members.errors import MemberNotFound
from crm.members.views import members
from crm.messages import flow_texts, limited
from crm.messages.content import adapt, problems, tidy
from crm.messages.errors import TemplateProblemsError, UnknownTextError
from crm.messages.markup import visible
from crm.messages.models import TemplateRow
from crm.messages.types import ChannelTraits, MessageContent, Outbound, Problem, Recipient, RenderedFlow
from crm.profiles.views import profiles
from crm.tags import service as tags

CONTENT: TypeAdapter[MessageContent] = TypeAdapter(MessageContent)
PREVIEW_TRAITS = ChannelTraits("preview")


@dataclass(frozen=True)
class SavedTemplate:
    """A message of the operators' library."""

    id: int
    name: str
    content: MessageContent
    version: int
    changed_at: datetime
    is_archived: bool


async def render_flow(
    session: AsyncSession, name: str, locale: str, values: dict[str, Any], traits: ChannelTraits
) -> RenderedFlow:
    """The text `flow/step` with the labels of its options (`step__option`). Raises UnknownTextError."""
    texts = flow_texts.of(session)
    shown = adapt(Outbound(await texts.render(session, name, locale, values)), traits)
    labels = {
        option: visible(await texts.render(session, f"{name}__{option}", locale, values))
        for option in flow_texts.options(name)
    }
    return RenderedFlow(shown.text_html, labels=labels)


async def checked(session: AsyncSession, content: MessageContent) -> MessageContent:
    """`content` as it may be stored. Raises TemplateProblemsError with every problem and its place."""
    found = list(problems(content))
    if found:
        raise TemplateProblemsError(found)
    if content.photo_media_id is not None:
        await media.get(session, content.photo_media_id)
    return tidy(content)


async def recipient(session: AsyncSession, member_id: int) -> Recipient:
    """The plain values that a template may use of one member. Raises MemberNotFound."""
    found = await recipients(session, [member_id])
    if member_id not in found:
        raise MemberNotFound(member_id=member_id)
    return found[member_id]


_RECIPIENTS = Prepared(
    select(
        members.c.id,
        members.c.display_name,
        members.c.locale,
        cast(members.c.attributes, Text),
        profiles.c.points_balance,
        profiles.c.tier,
        profiles.c.streak,
        profiles.c.tag_ids,
    )
    .join(profiles, profiles.c.member_id == members.c.id)
    .where(members.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
)


async def recipients(session: AsyncSession, member_ids: Sequence[int]) -> dict[int, Recipient]:
    """The same for many members, in two queries whatever their number; ids of nobody are left out."""
    brand = await brands.get(session)
    rows = await _RECIPIENTS.fetch(session, ids=list(member_ids))
    tag_ids = {tag_id for row in rows for tag_id in row["tag_ids"]}
    names = await tags.labels(session, sorted(tag_ids)) if tag_ids else {}
    shown = {"name": brand.name}
    return {row["id"]: _recipient(row, names, shown, brand.default_locale) for row in rows}


def _recipient(row: Any, names: Mapping[int, str], brand: dict[str, Any], default_locale: str) -> Recipient:
    _, name, locale, attributes, points, tier, streak, tag_ids = row
    locale = locale or default_locale
    member = {
        "name": name or friend(locale),
        "points": points,
        "tier": tier or "",
        "streak": streak,
        "tags": [names[tag_id] for tag_id in tag_ids if tag_id in names] if tag_ids else [],
        "attributes": orjson.loads(attributes) if attributes != "{}" else {},
        "locale": locale,
    }
    return Recipient(locale, member, brand)


def friend(locale: str) -> str:
    """What a member without a name is called."""
    return "朋友" if locale.startswith("zh") else "friend"


async def preview(
    session: AsyncSession,
    content: MessageContent,
    member_id: int,
    traits: ChannelTraits = PREVIEW_TRAITS,
    *,
    locale: str | None = None,
) -> Outbound:
    """What this member would see, or would see in another `locale`.

    Raises MemberNotFound, TemplateProblemsError or RenderingFailedError.
    """
    ready = await checked(session, content)
    reader = await recipient(session, member_id)
    reader = replace(reader, locale=locale or reader.locale)
    rendered = await limited.render(ready, [reader], traits, default_locale=(await brands.get(session)).default_locale)
    return rendered[0]


async def create_template(session: AsyncSession, name: str, content: MessageContent) -> SavedTemplate:
    """Add a message to the library. Raises TemplateProblemsError."""
    row = TemplateRow(name=_name(name), content={}, changed_at=await clock.now(session))
    row.content = CONTENT.dump_python(await checked(session, content), mode="json")
    session.add(row)
    await session.flush()
    return await get_template(session, row.id)


async def change_template(
    session: AsyncSession, template_id: int, *, name: str | None = None, content: MessageContent | None = None
) -> SavedTemplate:
    """Change name or content; each change makes a new version. Raises UnknownTextError, TemplateProblemsError."""
    values: dict[str, Any] = {"changed_at": await clock.now(session), "version": TemplateRow.version + 1}
    if name is not None:
        values["name"] = _name(name)
    if content is not None:
        values["content"] = CONTENT.dump_python(await checked(session, content), mode="json")
    await session.execute(update(TemplateRow).where(TemplateRow.id == template_id).values(values))
    return await get_template(session, template_id)


async def get_template(session: AsyncSession, template_id: int) -> SavedTemplate:
    """One message of the library. Raises UnknownTextError."""
    found = await session.execute(select(*TemplateRow.__table__.c).where(TemplateRow.id == template_id))
    row = found.one_or_none()
    if row is None:
        raise UnknownTextError
    return _saved(row)


async def list_templates(
    session: AsyncSession, *, with_archived: bool = False, after_id: int = 0, limit: int = 200
) -> Sequence[SavedTemplate]:
    """The library, oldest first, from after `after_id`."""
    query = select(*TemplateRow.__table__.c).where(TemplateRow.id > after_id).order_by(TemplateRow.id).limit(limit)
    if not with_archived:
        query = query.where(TemplateRow.archived_at.is_(None))
    return [_saved(row) for row in await session.execute(query)]


async def archive_template(session: AsyncSession, template_id: int, *, is_archived: bool = True) -> SavedTemplate:
    """Take a message out of the lists, or bring it back; what uses it keeps working."""
    at = await clock.now(session) if is_archived else None
    await session.execute(update(TemplateRow).where(TemplateRow.id == template_id).values(archived_at=at))
    return await get_template(session, template_id)


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > 120:  # noqa: PLR2004 - fits a line of a list
        raise TemplateProblemsError([Problem("A name has 1 to 120 characters.", place="name")])
    return cleaned


def _saved(row: Any) -> SavedTemplate:
    content = CONTENT.validate_python(row.content)
    return SavedTemplate(row.id, row.name, content, row.version, row.changed_at, row.archived_at is not None)
