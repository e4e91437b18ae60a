"""Use cases of segments: look before saving, save, change, archive, ask who matches."""

from typing import Any

from sqlalchemy import Row, Select, Subquery, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.kit.text import clean_text
from crm.members.views import members as member_names
from crm.segments import catalogue, compiler, parser, policy
from crm.segments.errors import InvalidSegmentError, RuleTooSlowError, SegmentArchivedError, SegmentNotFoundError
from crm.segments.models import SegmentRow
from crm.segments.types import ConditionInfo, Preview, Rule, SampledMember, Segment

PREVIEW_SECONDS = 5
_SAMPLE = 10
_MAX_NAME = 120
_QUERY_CANCELED = "57014"
_BIGGEST_ID = 2**63 - 1


def conditions(session: AsyncSession) -> list[ConditionInfo]:
    """The catalogue of conditions with the JSON schema of their parameters."""
    return catalogue.of(session).infos()


def parse(session: AsyncSession, source: Any) -> Rule:
    """The typed rule. Raises InvalidRuleError, which names every fault with its path."""
    return parser.parse(source, catalogue.of(session))


async def preview(session: AsyncSession, source: Any, *, sample: int = _SAMPLE) -> Preview:
    """How many match now, and some of them. Raises InvalidRuleError or RuleTooSlowError."""
    rule = parse(session, source)
    found = compiler.audience(rule, await clock.now(session)).subquery()
    try:
        async with session.begin_nested():
            await session.execute(text(f"SET LOCAL statement_timeout = '{PREVIEW_SECONDS}s'"))
            count = (await session.execute(select(func.count()).select_from(found))).scalar_one()
            some = (await session.execute(_named(found).limit(sample))).all()
            await session.execute(text("SET LOCAL statement_timeout = DEFAULT"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
            raise RuleTooSlowError from error
        raise
    return Preview(count, [SampledMember(row.id, row.display_name) for row in some], list(policy.warnings(rule)))


def _named(found: Subquery) -> Select[int, str]:
    joined = select(member_names.c.id, member_names.c.display_name).join(found, found.c.member_id == member_names.c.id)
    return joined.order_by(member_names.c.id.desc())


async def matches(session: AsyncSession, rule: Rule, member_id: int) -> bool:
    """Whether this member matches now."""
    found = compiler.audience(rule, await clock.now(session)).subquery()
    query = select(found.c.member_id).where(found.c.member_id == member_id)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def create(session: AsyncSession, *, name: str, rule: Any, description: str = "") -> Segment:
    """Save a rule under a name. Raises InvalidSegmentError or InvalidRuleError."""
    values = {
        "name": _name(name),
        "description": clean_text(description).strip()[:1000],
        "rule": parser.to_json(parse(session, rule)),
        "changed_at": await clock.now(session),
    }
    made = await session.execute(insert(SegmentRow).values(values).returning(*SegmentRow.__table__.c))
    return _segment(made.one())


async def change(session: AsyncSession, segment_id: int, **values: Any) -> Segment:
    """Change `name`, `description` or `rule`; campaigns already launched keep their audience."""
    cleaned: dict[str, Any] = {"version": SegmentRow.version + 1, "changed_at": await clock.now(session)}
    if "name" in values:
        cleaned["name"] = _name(values["name"])
    if "description" in values:
        cleaned["description"] = clean_text(values["description"]).strip()[:1000]
    if "rule" in values:
        cleaned["rule"] = parser.to_json(parse(session, values["rule"]))
    return await _update(session, segment_id, cleaned)


async def archive(session: AsyncSession, segment_id: int, *, is_archived: bool = True) -> Segment:
    """Take a segment out of the lists, or bring it back."""
    at = await clock.now(session) if is_archived else None
    return await _update(session, segment_id, {"archived_at": at})


async def get(session: AsyncSession, segment_id: int) -> Segment:
    """One segment. Raises SegmentNotFoundError."""
    if not 0 < segment_id <= _BIGGEST_ID:
        raise SegmentNotFoundError
    found = await session.execute(select(*SegmentRow.__table__.c).where(SegmentRow.id == segment_id))
    row = found.one_or_none()
    if row is None:
        raise SegmentNotFoundError
    return _segment(row)


async def rule_of(session: AsyncSession, segment_id: int) -> Rule:
    """The rule of a segment in use. Raises SegmentNotFoundError, SegmentArchivedError or InvalidRuleError."""
    segment = await get(session, segment_id)
    if segment.is_archived:
        raise SegmentArchivedError
    return parse(session, segment.rule)


async def listing(
    session: AsyncSession, *, query: str = "", with_archived: bool = False, cursor: str | None = None, limit: int = 50
) -> Page[Segment]:
    """Segments, newest first."""
    wanted = select(*SegmentRow.__table__.c).order_by(SegmentRow.id.desc()).limit(check_limit(limit) + 1)
    if not with_archived:
        wanted = wanted.where(SegmentRow.archived_at.is_(None))
    if query:
        wanted = wanted.where(SegmentRow.name.icontains(clean_text(query), autoescape=True))
    if cursor:
        (before,) = decode_cursor(cursor, int)
        wanted = wanted.where(SegmentRow.id < before)
    return page_of((await session.execute(wanted)).all(), limit, _segment, lambda row: (row.id,))


async def _update(session: AsyncSession, segment_id: int, values: dict[str, Any]) -> Segment:
    statement = update(SegmentRow).where(SegmentRow.id == segment_id).values(values)
    row = (await session.execute(statement.returning(*SegmentRow.__table__.c))).one_or_none()
    if row is None:
        raise SegmentNotFoundError
    return _segment(row)


def _name(name: str) -> str:
    cleaned = " ".join(clean_text(name).split())
    if not cleaned or len(cleaned) > _MAX_NAME:
        raise InvalidSegmentError
    return cleaned


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        id=row.id,
        name=row.name,
        description=row.description,
        rule=row.rule,
        version=row.version,
        is_archived=row.archived_at is not None,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
