"""Going to work on a member: their profile's row is locked before everything else that is theirs.

Whoever changes something of a member holds it until the transaction ends, so two never meet each other in a ring over
one member's rows, and a merge, which holds both profiles, finds nobody at work on either.
"""

from collections.abc import Collection

from sqlalchemy import ARRAY, BigInteger, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.members.errors import MemberNotFound

_ENTER = Prepared(text("SELECT siyu_enter_member(:member_id) AS owner_id"))
_ENTER_ALL = Prepared(text("SELECT siyu_enter_members(:ids)").bindparams(bindparam("ids", type_=ARRAY(BigInteger))))
_HOLD_PAIR = Prepared(text("SELECT siyu_hold_pair(:one, :other, :may_wait)"))


async def enter(session: AsyncSession, member_id: int) -> int:
    """See `service.enter`."""
    owner: int | None = (await _ENTER.first(session, member_id=member_id))["owner_id"]
    if owner is None:
        raise MemberNotFound(member_id=member_id)
    return owner


async def enter_all(session: AsyncSession, member_ids: Collection[int]) -> None:
    """Like `enter` for several, in the order of their ids; before anything else is locked."""
    if member_ids:
        await _ENTER_ALL.fetch(session, ids=list(member_ids))


async def hold_pair(session: AsyncSession, one: int, other: int, *, may_wait: bool) -> None:
    """Both profiles, which are not followed to where they live on; neither is waited for while the other is held.

    `may_wait` is for who holds none of them yet. Raises what the driver raises when they stay busy for seconds.
    """
    await _HOLD_PAIR.fetch(session, one=one, other=other, may_wait=may_wait)
