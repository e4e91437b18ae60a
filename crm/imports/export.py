"""Members as CSV, streamed; cells that a spreadsheet would take for a formula are made harmless."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.imports.mapping import ATTRIBUTE
from crm.kit.paging import MAX_LIMIT
from crm.kit.spreadsheets import BOM, cell, line
from crm.members import attributes, bulk
from crm.members import service as members
from crm.members.types import MemberQuery, MemberSummary
from crm.tags import service as tags

_COLUMNS = (
    "id",
    "display_name",
    "phone",
    "email",
    "birthday",
    "locale",
    "time_zone",
    "stage",
    "points_balance",
    "orders_count",
    "orders_total",
    "tags",
    "signed_up_at",
    "created_at",
)
_EXEMPT = ("phone", "points_balance", "orders_total")
"""Typed columns: E.164 phones and numbers begin with a sign rightly."""


async def members_csv(session: AsyncSession, query: MemberQuery, *, with_personal: bool) -> AsyncIterator[str]:
    """Lines of a CSV (RFC 4180, UTF-8 with BOM for spreadsheets) of the members who fit the query, newest first.

    Without `with_personal` phones and e-mail addresses are masked, birthdays and personal attributes left out.
    """
    definitions = [item for item in await attributes.definitions(session) if with_personal or not item.is_personal]
    keys = [item.key for item in definitions]
    yield BOM + line([*_COLUMNS, *(ATTRIBUTE + key for key in keys)])
    query = replace(query, limit=MAX_LIMIT, cursor=None)
    while True:
        page = await members.page(session, query)
        if page.items:
            yield await _lines(session, page.items, keys, with_personal)
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


async def _lines(
    session: AsyncSession, found: Sequence[MemberSummary], keys: Sequence[str], with_personal: bool
) -> str:
    details = {
        item.id: item for item in await bulk.details(session, [o.id for o in found], with_personal=with_personal)
    }
    labels = await tags.labels(session, [tag_id for item in found for tag_id in item.tag_ids])
    lines = []
    for summary in found:
        own = details[summary.id]
        facts: dict[str, Any] = {**vars(summary), **vars(own)}
        facts["tags"] = ";".join(labels[tag_id] for tag_id in summary.tag_ids if tag_id in labels)
        values = [(name, facts[name]) for name in _COLUMNS] + [("", own.attributes.get(key)) for key in keys]
        lines.append(line([_text(name, value) for name, value in values]))
    return "".join(lines)


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return text if column in _EXEMPT or is_number else cell(text)
