"""The programme as operators keep it: one draft, one live version, and those before."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.coupons.service import definitions as coupons
from crm.db import clock
from crm.tiers import checking, deciding, measuring, policy, repository
from crm.tiers.errors import NoProgramme, ProgrammeNotDraft, ProgrammeNotFound, UnknownTier
from crm.tiers.models import ProgrammeRow
from crm.tiers.service import runs
from crm.tiers.types import Move, Preview, Programme, ProgrammeStatus, Rules, RunKind

_EVERYBODY = measuring.within(1, 2**63 - 1)


async def live(session: AsyncSession) -> Programme | None:
    """The version that counts; None before the first one is published."""
    return await repository.with_status(session, ProgrammeStatus.LIVE)


async def draft(session: AsyncSession) -> Programme | None:
    """The version that is being worked on."""
    return await repository.with_status(session, ProgrammeStatus.DRAFT)


async def get(session: AsyncSession, version: int) -> Programme:
    """One version. Raises ProgrammeNotFound."""
    row = await session.get(ProgrammeRow, version, populate_existing=True)
    if row is None:
        raise ProgrammeNotFound(version=version)
    return repository.as_programme(row)


async def listing(session: AsyncSession) -> list[Programme]:
    """Every version, the newest first."""
    query = select(ProgrammeRow).order_by(ProgrammeRow.version.desc())
    rows = await session.scalars(query.execution_options(populate_existing=True))
    return [repository.as_programme(row) for row in rows]


async def save_draft(session: AsyncSession, rules: Rules, *, by: str, is_demo: bool = False) -> Programme:
    """Keep `rules` as the draft, in place of the one before. Raises InvalidProgramme, CouponNotFound."""
    checked = await _checked(session, rules)
    values: dict[str, Any] = {"rules": repository.rules_json(checked), "created_by": by, "is_demo": is_demo}
    own = update(ProgrammeRow).where(ProgrammeRow.status == ProgrammeStatus.DRAFT).values(values)
    version = await session.scalar(own.returning(ProgrammeRow.version))
    if version is None:
        new = insert(ProgrammeRow).values(**values, status=ProgrammeStatus.DRAFT)
        version = (await session.execute(new.returning(ProgrammeRow.version))).scalar_one()
    return await get(session, version)


async def publish(session: AsyncSession, version: int) -> Programme:
    """Make the draft the version that counts and evaluate everybody by it, which a job does in ranges.

    Raises ProgrammeNotFound, ProgrammeNotDraft, and InvalidProgramme or CouponNotFound when it is no longer valid.
    """
    held = await session.get(ProgrammeRow, version, with_for_update=True, populate_existing=True)
    if held is None:
        raise ProgrammeNotFound(version=version)
    if held.status != ProgrammeStatus.DRAFT:
        raise ProgrammeNotDraft(version=version, status=held.status)
    await _checked(session, repository.as_programme(held).rules)
    now = await clock.now(session)
    older = update(ProgrammeRow).where(ProgrammeRow.status == ProgrammeStatus.LIVE)
    await session.execute(older.values(status=ProgrammeStatus.RETIRED, retired_at=now))
    own = update(ProgrammeRow).where(ProgrammeRow.version == version)
    await session.execute(own.values(status=ProgrammeStatus.LIVE, published_at=now))
    await runs.start(session, version, RunKind.PUBLISHED)
    return await get(session, version)


async def preview(session: AsyncSession, rules: Rules) -> Preview:
    """Who would be where if `rules` were published now; nothing is changed. Raises what `save_draft` raises."""
    checked = await _checked(session, rules)
    now = await clock.now(session)
    times = policy.spans(checked, now, await brand.zone(session))
    found = deciding.decided(checked, times, _EVERYBODY, now).subquery("found")
    ways = (found.c.tier, found.c.tier_then, found.c.is_up)
    waiting = func.count().filter(found.c.falls_then.is_not(None))
    rows = (await session.execute(select(*ways, func.count(), waiting).group_by(*ways))).all()
    before, after, moves = Counter[str](), Counter[str](), Counter[tuple[str | None, str | None]]()
    up = down = in_grace = 0
    for tier, then, is_up, members, falling in rows:
        before[tier or ""] += members
        after[then or ""] += members
        in_grace += falling
        if tier != then:
            moves[tier, then] += members
            up, down = (up + members, down) if is_up else (up, down + members)
    return Preview(
        now=dict(before),
        then=dict(after),
        moves=[Move(tier, then, members) for (tier, then), members in moves.most_common()],
        up=up,
        down=down,
        in_grace=in_grace,
    )


async def keys(session: AsyncSession) -> list[str]:
    """Keys of the live programme's and the draft's tiers, from the lowest on."""
    query = select(ProgrammeRow).where(ProgrammeRow.status != ProgrammeStatus.RETIRED).order_by(ProgrammeRow.version)
    rows = (await session.scalars(query.execution_options(populate_existing=True))).all()
    return list(dict.fromkeys(tier.key for row in rows for tier in repository.as_programme(row).rules.tiers))


async def names(session: AsyncSession) -> dict[str, dict[str, str]]:
    """Names by locale of the live programme's tiers, by key; from the lowest on."""
    found = await live(session)
    return {tier.key: tier.name for tier in found.rules.tiers} if found else {}


async def check_keys(session: AsyncSession, wanted: Iterable[str]) -> None:
    """Raises UnknownTier, which says what there is, unless every key is a tier of the live programme or the draft."""
    asked = list(wanted)
    if not asked:
        return
    known = await keys(session)
    unknown = [key for key in asked if key not in known]
    if unknown:
        there = f"there are {', '.join(known)}" if known else "there is no tier programme yet"
        raise UnknownTier(f"there is no tier {unknown[0]!r}; {there}", tiers=known)


async def require_live(session: AsyncSession) -> Programme:
    """The live programme. Raises NoProgramme."""
    found = await live(session)
    if found is None:
        raise NoProgramme
    return found


async def _checked(session: AsyncSession, rules: Rules) -> Rules:
    checked = checking.check_rules(rules)
    await _check_coupons(session, checked)
    return checked


async def _check_coupons(session: AsyncSession, rules: Rules) -> None:
    wanted = {key for tier in rules.tiers for key in (tier.monthly_coupon_id, tier.birthday_coupon_id) if key}
    for coupon_id in sorted(wanted):
        await coupons.get(session, coupon_id)
