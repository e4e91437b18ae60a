"""Use cases of profiles: owners of facts record them, everyone above reads them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Unpack

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.profiles.errors import ProfileNotFound
from crm.profiles.models import ProfileRow
from crm.profiles.types import Profile, ProfileChanges, Stage

_TABLE = ProfileRow.metadata.tables["profiles"]
_HOLD = Prepared(
    select(_TABLE.c.member_id).where(_TABLE.c.member_id == bindparam("own_id")).with_for_update(key_share=True)
)
_HOLD_FREE = Prepared(
    select(_TABLE.c.member_id)
    .where(_TABLE.c.member_id == any_(bindparam("wanted", type_=ARRAY(BigInteger))))
    .order_by(_TABLE.c.member_id)
    .with_for_update(key_share=True, skip_locked=True)
)
_HOLD_ALL = Prepared(select(func.siyu_hold_all(bindparam("wanted", type_=ARRAY(BigInteger)), bindparam("may_wait"))))
_GET = Prepared(select(_TABLE).where(_TABLE.c.member_id == any_(bindparam("wanted", type_=ARRAY(BigInteger)))))


async def create(session: AsyncSession, member_id: int, **facts: Unpack[ProfileChanges]) -> None:
    """The row of a new member, at least with its `locale`; members does this."""
    await session.execute(insert(ProfileRow).values(member_id=member_id, **facts))


async def create_many(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """The rows of new members, each at least with `member_id` and `locale`, all with the same names."""
    if rows:
        await session.execute(insert(_TABLE), list(rows))


async def hold(session: AsyncSession, member_id: int) -> None:
    """Lock the row until the transaction ends, before anything else of the member; one that is not there is nobody's.

    Who also wants to know where the member lives on after merges uses `members.enter` instead.
    """
    await _HOLD.fetch(session, own_id=member_id)


async def hold_free(session: AsyncSession, member_ids: Collection[int]) -> set[int]:
    """Lock those of the rows that nobody else has locked; answers whose. For who looks after many and comes again."""
    return {row["member_id"] for row in await _HOLD_FREE.fetch(session, wanted=list(member_ids))}


async def hold_all(session: AsyncSession, member_ids: Collection[int], *, may_wait: bool = False) -> None:
    """Like `hold` for several, none of which is waited for while another is held: it is tried again and again.

    `may_wait` is for who holds nobody's row yet; they wait in line. Raises what the driver raises when some stay busy
    for seconds.
    """
    if member_ids:
        await _HOLD_ALL.fetch(session, wanted=list(member_ids), may_wait=may_wait)


async def record(session: AsyncSession, member_id: int, **facts: Unpack[ProfileChanges]) -> None:
    """Write facts that the caller owns. Raises ProfileNotFound."""
    if not facts:
        return
    changed = update(_TABLE).where(_TABLE.c.member_id == member_id).values(**facts).returning(_TABLE.c.member_id)
    if (await session.execute(changed)).scalar_one_or_none() is None:
        raise ProfileNotFound(member_id=member_id)


async def add_tag(session: AsyncSession, member_id: int, tag_id: int) -> None:
    """Add one tag to those of the row as it is now, so that two at once do not lose one; tags does this."""
    tags = func.sort(func.uniq(func.sort(_TABLE.c.tag_ids.op("+")(tag_id))))
    await session.execute(update(_TABLE).where(_TABLE.c.member_id == member_id).values(tag_ids=tags))


async def add_tag_to_many(session: AsyncSession, member_ids: Sequence[int], tag_id: int) -> None:
    """Like `add_tag`, for many members in one statement."""
    tags = func.sort(func.uniq(func.sort(_TABLE.c.tag_ids.op("+")(tag_id))))
    await session.execute(update(_TABLE).where(_TABLE.c.member_id.in_(member_ids)).values(tag_ids=tags))


async def remove_tag(session: AsyncSession, member_id: int, tag_id: int) -> None:
    """Take one tag from those of the row as it is now; tags does this."""
    tags = func.array_remove(_TABLE.c.tag_ids, tag_id)
    await session.execute(update(_TABLE).where(_TABLE.c.member_id == member_id).values(tag_ids=tags))


async def add_order(session: AsyncSession, member_id: int, amount: Decimal, placed_at: datetime) -> None:
    """Count one more paid order on the row as it is now; orders does this."""
    own = _TABLE.c
    await session.execute(
        update(_TABLE)
        .where(own.member_id == member_id)
        .values(
            orders_count=own.orders_count + 1,
            orders_total=own.orders_total + amount,
            first_order_at=func.least(func.coalesce(own.first_order_at, placed_at), placed_at),
            last_order_at=func.greatest(func.coalesce(own.last_order_at, placed_at), placed_at),
        )
    )


async def get(session: AsyncSession, member_id: int) -> Profile:
    """The facts of one member, as this transaction sees them. Raises ProfileNotFound."""
    found = await get_many(session, [member_id])
    if member_id not in found:
        raise ProfileNotFound(member_id=member_id)
    return found[member_id]


async def get_many(session: AsyncSession, member_ids: Sequence[int]) -> dict[int, Profile]:
    """The facts of these members by id; ids without a profile are left out."""
    rows = await _GET.fetch(session, wanted=list(member_ids))
    return {row["member_id"]: profile_of(row) for row in rows}


def profile_of(row: Mapping[str, Any]) -> Profile:
    """The facts in a row of the table; see `crm.profiles.statements`."""
    return Profile(
        **{
            **row,
            "stage": Stage(row["stage"]),
            "tag_ids": list(row["tag_ids"]),
            "segment_ids": list(row["segment_ids"]),
        }
    )
