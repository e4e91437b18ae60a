"""Messages: texts of conversations, contents for recipients, previews, and the operators' library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.db import clock
from crm.media import service as media
from crm.messages import flow_texts, limited
from crm.messages.allow_list import NOTHING_MORE, Known
from crm.messages.content import adapt, problems, tidy
from crm.messages.errors import TemplateProblemsError, UnknownTextError
from crm.messages.markup import visible
from crm.messages.models import TemplateRow
from crm.messages.recipients import recipient
from crm.messages.stored import content_json, content_of
from crm.messages.types import ChannelTraits, MessageContent, Outbound, Problem, RenderedFlow

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


async def checked(session: AsyncSession, content: MessageContent, more: Known = NOTHING_MORE) -> MessageContent:
    """`content` as it may be stored; `more` are variables that it may use besides the usual ones.

    Raises TemplateProblemsError with every problem and its place.
    """
    found = list(problems(content, more))
    if found:
        raise TemplateProblemsError(found)
    if content.photo_media_id is not None:
        await media.get(session, content.photo_media_id)
    return tidy(content)


async def preview(
    session: AsyncSession,
    content: MessageContent,
    member_id: int,
    traits: ChannelTraits = PREVIEW_TRAITS,
    *,
    locale: str | None = None,
    trigger: Mapping[str, Any] | None = None,
) -> Outbound:
    """What this member would see, or would see in another `locale`; `trigger` is what a journey would begin with.

    Raises MemberNotFound, TemplateProblemsError or RenderingFailedError.
    """
    begun = dict(trigger or {})
    ready = await checked(session, content, Known(frozenset(f"trigger.{name}" for name in begun)))
    reader = await recipient(session, member_id)
    reader = replace(reader, locale=locale or reader.locale, trigger=begun)
    rendered = await limited.render(ready, [reader], traits, default_locale=(await brands.get(session)).default_locale)
    return rendered[0]


async def create_template(session: AsyncSession, name: str, content: MessageContent) -> SavedTemplate:
    """Add a message to the library. Raises TemplateProblemsError."""
    row = TemplateRow(name=_name(name), content={}, changed_at=await clock.now(session))
    row.content = content_json(await checked(session, content))
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
        values["content"] = content_json(await checked(session, content))
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
    content = content_of(row.content)
    return SavedTemplate(row.id, row.name, content, row.version, row.changed_at, row.archived_at is not None)
