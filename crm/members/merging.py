"""Joining two profiles into one, and taking them apart again; each capability brings its own step."""

import json
from collections.abc import Sequence
from functools import cache
from inspect import iscoroutinefunction
from typing import Any, Protocol, TypeGuard, runtime_checkable

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.events.catalogue import MembersMerged
from crm.events.catalogue import MergeUndone as MergeUndoneEvent
from crm.events.service import publish
from crm.kit.discovery import modules_named
from crm.members.errors import MemberNotFound, MergeImpossible, MergeNotFound, MergeUndone
from crm.members.models import MergeRow
from crm.members.repository import MEMBERS, member_of
from crm.members.types import Member, MemberStatus, Merge
from crm.profiles import service as profiles

RECORDS = "member_merges.records"
_MERGES = MergeRow.metadata.tables["member_merges"]


@runtime_checkable
class MergeStep(Protocol):
    """One capability's part of a merge: a module-level object in `crm/<capability>/merge.py`."""

    name: str
    """Stable, because records of past merges are kept under it."""

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Move what belongs to the dropped member; answers, as JSON, what `undo` needs."""
        ...

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same things back, as far as they are still where `merge` put them."""
        ...


@cache
def steps() -> Sequence[MergeStep]:
    """The steps of all capabilities, by the capability's name."""
    found: list[MergeStep] = []
    for module in modules_named("crm", "merge"):
        found += [value for value in vars(module).values() if _is_step(value)]
    return tuple(found)


def _is_step(value: object) -> TypeGuard[MergeStep]:
    """By the class, since objects such as `sqlalchemy.func` pretend to have every attribute."""
    return isinstance(value, MergeStep) and iscoroutinefunction(getattr(type(value), "merge", None))


async def merge(session: AsyncSession, keep_id: int, drop_id: int, *, by: str, may_wait: bool = True) -> int:
    """Join the dropped profile into the kept one and answer the merge's id, with which it can be undone.

    Both are held, so that nobody is at work on either; `may_wait` is off for who holds one of them already.
    Raises MemberNotFound, and MergeImpossible for one and the same profile, for one that is merged or erased
    already, and for a demo profile with a real one.
    """
    keep, drop = await _hold_both(session, keep_id, drop_id, may_wait=may_wait)
    _check(keep, drop)
    records = {step.name: await step.merge(session, keep_id, drop_id) for step in steps()}
    await session.execute(
        update(MEMBERS)
        .where(MEMBERS.c.id == drop_id)
        .values(status=MemberStatus.MERGED, merged_into_id=keep_id, version=MEMBERS.c.version + 1)
    )
    await profiles.record(session, drop_id, is_active=False)
    merge_id = await _store(session, keep_id, drop_id, by, records)
    await publish(session, MembersMerged(member_id=keep_id, merged_member_id=drop_id, merge_id=merge_id))
    return merge_id


async def undo(session: AsyncSession, merge_id: int, *, by: str) -> Merge:
    """Take a merge apart again. Raises MergeNotFound, MergeUndone, MergeImpossible."""
    found = await get(session, merge_id)
    keep, drop = await _hold_both(session, found.keep_id, found.drop_id, may_wait=True)
    if (await get(session, merge_id)).undone_at is not None:
        raise MergeUndone(merge_id=merge_id)
    if keep.status is not MemberStatus.ACTIVE or drop.merged_into_id != keep.id:
        raise MergeImpossible("the kept profile was itself merged or erased; undo that first")
    await session.execute(
        update(MEMBERS)
        .where(MEMBERS.c.id == drop.id)
        .values(status=MemberStatus.ACTIVE, merged_into_id=None, version=MEMBERS.c.version + 1)
    )
    await profiles.record(session, drop.id, is_active=True)
    records = await _records(session, merge_id)
    for step in reversed(steps()):
        if step.name in records:
            await step.undo(session, keep.id, drop.id, records[step.name])
    done = {"undone_at": await clock.now(session), "undone_by": by}
    await session.execute(update(_MERGES).where(_MERGES.c.id == merge_id).values(**done))
    await publish(session, MergeUndoneEvent(member_id=keep.id, merged_member_id=drop.id, merge_id=merge_id))
    return await get(session, merge_id)


async def get(session: AsyncSession, merge_id: int) -> Merge:
    """One merge. Raises MergeNotFound."""
    found = await _find(session, _MERGES.c.id == merge_id)
    if not found:
        raise MergeNotFound(merge_id=merge_id)
    return found[0]


async def of_member(session: AsyncSession, member_id: int) -> list[Merge]:
    """The merges into this profile, newest first."""
    return await _find(session, _MERGES.c.keep_id == member_id)


async def _find(session: AsyncSession, condition: Any) -> list[Merge]:
    names = ("id", "keep_id", "drop_id", "by", "merged_at", "undone_at", "undone_by")
    query = select(*(_MERGES.c[name] for name in names)).where(condition).order_by(_MERGES.c.id.desc())
    rows = await session.execute(query)
    return [Merge(**row) for row in rows.mappings()]


async def _hold_both(session: AsyncSession, keep_id: int, drop_id: int, *, may_wait: bool) -> tuple[Member, Member]:
    await profiles.hold_all(session, sorted((keep_id, drop_id)), may_wait=may_wait)
    query = select(MEMBERS).where(MEMBERS.c.id.in_((keep_id, drop_id)))
    rows = (await session.execute(query)).mappings().all()
    now = await clock.now(session)
    found = {row["id"]: member_of(row, vault(session), now) for row in rows}
    for member_id in (keep_id, drop_id):
        if member_id not in found:
            raise MemberNotFound(member_id=member_id)
    return found[keep_id], found[drop_id]


def _check(keep: Member, drop: Member) -> None:
    if keep.id == drop.id:
        raise MergeImpossible("a profile cannot be merged with itself")
    for member in (keep, drop):
        if member.status is not MemberStatus.ACTIVE:
            raise MergeImpossible(f"profile {member.id} was merged or erased already", member_id=member.id)
    if keep.is_demo != drop.is_demo:
        raise MergeImpossible("a demo profile cannot be merged with a real one")


async def _store(session: AsyncSession, keep_id: int, drop_id: int, by: str, records: dict[str, Any]) -> int:
    place = f"{RECORDS}:{keep_id}:{drop_id}"
    sealed = vault(session).seal(json.dumps(records, ensure_ascii=False), place)
    values = {"keep_id": keep_id, "drop_id": drop_id, "by": by, "records_sealed": sealed}
    stored = await session.execute(insert(_MERGES).values(**values).returning(_MERGES.c.id))
    return int(stored.scalar_one())


async def _records(session: AsyncSession, merge_id: int) -> dict[str, Any]:
    columns = (_MERGES.c.keep_id, _MERGES.c.drop_id, _MERGES.c.records_sealed)
    keep_id, drop_id, sealed = (await session.execute(select(*columns).where(_MERGES.c.id == merge_id))).one()
    records: dict[str, Any] = json.loads(vault(session).open(sealed, f"{RECORDS}:{keep_id}:{drop_id}"))
    return records
