"""Operators' wording of the shipped conversations: list, change, reset."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.db import clock
from crm.messages import flow_texts
from crm.messages.errors import TemplateProblemsError
from crm.messages.markup import escape_stray, tag_problems
from crm.messages.models import FlowTextRow
from crm.messages.types import Problem


@dataclass(frozen=True)
class Wording:
    """One text of a conversation in one language."""

    name: str
    locale: str
    shipped: str
    own: str | None


async def listing(session: AsyncSession, locale: str) -> list[Wording]:
    """Every text of `locale`, with the operator's own wording where there is one."""
    rows = await session.execute(select(FlowTextRow.name, FlowTextRow.source).where(FlowTextRow.locale == locale))
    own: dict[str, Any] = {row.name: row.source for row in rows}
    return [Wording(name, locale, flow_texts.source_of(name, locale), own.get(name)) for name in flow_texts.names()]


async def change(session: AsyncSession, name: str, locale: str, source: str) -> Wording:
    """Set an own wording. Raises UnknownTextError or TemplateProblemsError."""
    shipped = flow_texts.source_of(name, locale)
    tidied = escape_stray(source.strip())
    found = [*flow_texts.problems(name, tidied), *tag_problems(tidied)]
    if not tidied:
        found = [Problem("The text is empty; reset it to go back to the shipped one.")]
    if found:
        raise TemplateProblemsError([replace(problem, place=f"{name}.{locale}") for problem in found])
    values = {"source": tidied, "changed_at": await clock.now(session)}
    statement = insert(FlowTextRow).values(name=name, locale=locale, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["name", "locale"], set_=values))
    await alerts.resolve(session, AlertKind.FLOW_TEXT_BROKEN, f"{name} {locale}")
    return Wording(name, locale, shipped, tidied)


async def reset(session: AsyncSession, name: str, locale: str) -> Wording:
    """Go back to the shipped text. Raises UnknownTextError."""
    shipped = flow_texts.source_of(name, locale)
    await session.execute(delete(FlowTextRow).where(FlowTextRow.name == name, FlowTextRow.locale == locale))
    await alerts.resolve(session, AlertKind.FLOW_TEXT_BROKEN, f"{name} {locale}")
    return Wording(name, locale, shipped, None)
