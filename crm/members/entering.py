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


async def enter(session: AsyncSession, member_id: int) -> int:
    """See `service.enter`."""
    owner: int | None = (await _ENTER.first(session, member_id=member_id))["owner_id"]
    if owner is None:
        raise MemberNotFound(member_id=member_id)
    return owner


async def enter_all(session: AsyncSession, member_ids: Collection[int]) -> None:
    """See `service.enter_all`."""
    if member_ids:
        await _ENTER_ALL.fetch(session, ids=list(member_ids))
