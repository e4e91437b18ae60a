"""Link codes: shown in one chat and typed in the other, they prove that both belong to one person."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.kit.errors import UnavailableError
from crm.members import merging, service
from crm.members.errors import InvalidLinkCode, MergeImpossible, SameAccount, TooManyTries
from crm.members.models import LinkAttemptRow, LinkCodeRow
from crm.profiles import service as profiles

VALID_FOR = timedelta(minutes=10)
MAX_TRIES = 5
_DIGITS = 6
_PURPOSE = "link_codes.code"
_DRAWS = 20
_CODES = LinkCodeRow.metadata.tables["link_codes"]
_ATTEMPTS = LinkAttemptRow.metadata.tables["link_attempts"]


@dataclass(frozen=True)
class LinkCode:
    """Six digits to be typed in the other chat until `expires_at`."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class LinkResult:
    """What came of a typed code; `problem` is the code of an error, because wrong tries must stay counted."""

    kept_member_id: int
    merged_member_id: int | None = None
    """None when nothing was merged: a problem, or both were one already."""
    problem: str | None = None
    """`invalid_link_code`, `same_account`, `too_many_tries` or `merge_impossible`."""
    tries_left: int = MAX_TRIES


async def issue_link_code(session: AsyncSession, member_id: int, *, identity_id: int) -> LinkCode:
    """A new code for this chat; older ones of the member are void. Raises UnavailableError when none is free."""
    now = await clock.now(session)
    await session.execute(delete(_CODES).where((_CODES.c.expires_at <= now) | (_CODES.c.member_id == member_id)))
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        values = {"member_id": member_id, "identity_id": identity_id, "expires_at": now + VALID_FOR}
        claim = insert(_CODES).values(code_index=vault(session).blind_index(code, _PURPOSE), **values)
        claimed = await session.execute(claim.on_conflict_do_nothing().returning(_CODES.c.expires_at))
        if (expires_at := claimed.scalar_one_or_none()) is not None:
            return LinkCode(code, expires_at)
    raise UnavailableError("too many link codes are open; try again in some minutes")


async def redeem_link_code(session: AsyncSession, member_id: int, code: str, *, identity_id: int) -> LinkResult:
    """Merge the two profiles that a code joins, keeping the one with the fuller history.

    Five wrong codes from one chat in ten minutes close it for the rest of them. Raises nothing for a wrong
    code: the caller's transaction must commit, or the try would not count.
    """
    member_id = await service.current_id(session, member_id)
    tries = await _tries(session, identity_id)
    if tries >= MAX_TRIES:
        return LinkResult(member_id, problem=TooManyTries.code(), tries_left=0)
    indexes = vault(session).blind_indexes(code.strip(), _PURPOSE)
    found = select(_CODES).where(_CODES.c.code_index.in_(indexes), _CODES.c.expires_at > await clock.now(session))
    row = (await session.execute(found.with_for_update())).one_or_none()
    if row is None:
        await _count_try(session, identity_id, tries + 1)
        return LinkResult(member_id, problem=InvalidLinkCode.code(), tries_left=MAX_TRIES - tries - 1)
    if row.identity_id == identity_id:
        return LinkResult(member_id, problem=SameAccount.code(), tries_left=MAX_TRIES - tries)
    await session.execute(delete(_CODES).where(_CODES.c.code_index == row.code_index))
    return await _join(session, member_id, await service.current_id(session, row.member_id), identity_id)


async def fuller(session: AsyncSession, one: int, other: int) -> tuple[int, int]:
    """(keep, drop): the signed-up one, else the one with more orders and check-ins, more points, the older."""
    found = await profiles.get_many(session, [one, other])

    def weight(member_id: int) -> tuple[bool, int, int, int]:
        profile = found[member_id]
        deeds = profile.orders_count + profile.check_ins_count
        return profile.signed_up_at is not None, deeds, profile.points_balance, -member_id

    keep, drop = sorted((one, other), key=weight, reverse=True)
    return keep, drop


async def _join(session: AsyncSession, member_id: int, other_id: int, identity_id: int) -> LinkResult:
    if member_id == other_id:
        return LinkResult(member_id)
    keep_id, drop_id = await fuller(session, member_id, other_id)
    try:
        await merging.merge(session, keep_id, drop_id, by=f"identity:{identity_id}", may_wait=False)
    except MergeImpossible:
        return LinkResult(member_id, problem=MergeImpossible.code())
    return LinkResult(keep_id, drop_id)


async def _tries(session: AsyncSession, identity_id: int) -> int:
    """Wrong tries of this identity in its present window."""
    own = (_ATTEMPTS.c.identity_id == identity_id, _ATTEMPTS.c.window_ends_at > await clock.now(session))
    found = await session.scalar(select(_ATTEMPTS.c.attempts).where(*own).with_for_update())
    return found or 0


async def _count_try(session: AsyncSession, identity_id: int, tries: int) -> None:
    ends_at = await clock.now(session) + VALID_FOR
    written = insert(_ATTEMPTS).values(identity_id=identity_id, attempts=tries, window_ends_at=ends_at)
    changes = {"attempts": tries, "window_ends_at": ends_at}
    await session.execute(written.on_conflict_do_update(index_elements=["identity_id"], set_=changes))
