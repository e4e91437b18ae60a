"""Joining two members' referrals: links, visits, gifts and invited friends go over; self-invitations come to light."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import moving
from crm.referrals import repository
from crm.referrals.models import DeviceRow, GivenRow, LinkRow, PosterRow, ReferralRow, TouchRow
from crm.referrals.service import qualifying
from crm.referrals.types import Doubt, Flag, Status


def _table(row: Any) -> Table:
    return ReferralRow.metadata.tables[row.__tablename__]


_REFERRALS = _table(ReferralRow)
_DEVICES = _table(DeviceRow)
_MOVED = {
    "links": _table(LinkRow),
    "touches": _table(TouchRow),
    "given": _table(GivenRow),
    "posters": _table(PosterRow),
}


class ReferralsMerge:
    """The kept profile keeps who invited it, or takes that over; invitations of oneself are flagged."""

    name = "referrals"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers what moved: keys by table, friends' and referrers' rows, devices, and statuses that changed."""
        record: dict[str, Any] = {
            name: await moving.move(session, table, drop_id, keep_id) for name, table in _MOVED.items()
        }
        record["devices"] = await _move_devices(session, keep_id, drop_id)
        record["invited"] = await _point(session, "referrer_id", drop_id, keep_id)
        has_one = await session.scalar(select(_REFERRALS.c.id).where(_REFERRALS.c.friend_id == keep_id))
        record["came"] = [] if has_one else await _point(session, "friend_id", drop_id, keep_id)
        record["doubted"] = await _doubt_selves(session, keep_id)
        return record

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same rows back; what was doubted stands as before, unless somebody decided meanwhile."""
        for name, table in _MOVED.items():
            await moving.move_back(session, table, record[name], keep_id, drop_id)
        marks = [bytes.fromhex(mark) for mark in record["devices"]]
        own = (_DEVICES.c.member_id == keep_id, _DEVICES.c.fingerprint.in_(marks))
        await session.execute(update(_DEVICES).where(*own).values(member_id=drop_id))
        for column, ids in (("referrer_id", record["invited"]), ("friend_id", record["came"])):
            back = update(_REFERRALS).where(_REFERRALS.c.id.in_([UUID(item) for item in ids]))
            await session.execute(back.where(_REFERRALS.c[column] == keep_id).values({column: drop_id}))
        for item, status in record["doubted"]:
            waits = (_REFERRALS.c.id == UUID(item), _REFERRALS.c.status == Status.REVIEW)
            await session.execute(update(_REFERRALS).where(*waits).values(status=status))


async def _point(session: AsyncSession, column: str, old: int, new: int) -> list[str]:
    moved = update(_REFERRALS).where(_REFERRALS.c[column] == old).values({column: new}).returning(_REFERRALS.c.id)
    return [str(item) for item in await session.scalars(moved)]


async def _move_devices(session: AsyncSession, keep_id: int, drop_id: int) -> list[str]:
    known = select(_DEVICES.c.fingerprint).where(_DEVICES.c.member_id == keep_id)
    fresh = (_DEVICES.c.member_id == drop_id, _DEVICES.c.fingerprint.not_in(known))
    moved = update(_DEVICES).where(*fresh).values(member_id=keep_id).returning(_DEVICES.c.fingerprint)
    return [mark.hex() for mark in await session.scalars(moved)]


async def _doubt_selves(session: AsyncSession, keep_id: int) -> list[list[str]]:
    """Pending and qualified referrals of the member to themselves wait for an operator from now on."""
    own = (ReferralRow.friend_id == keep_id, ReferralRow.referrer_id == keep_id)
    counted = ReferralRow.status.in_((Status.PENDING, Status.QUALIFIED))
    doubted = []
    for referral in await repository.referrals(session, select(ReferralRow).where(*own, counted)):
        await qualifying.doubt(session, referral, Doubt(Flag.SELF, "profiles were merged"))
        doubted.append([str(referral.id), str(referral.status)])
    return doubted


referrals_merge = ReferralsMerge()
