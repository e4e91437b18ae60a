"""What speaks against a referral: one person behind both, devices and phones in common, rings of invitations."""

from sqlalchemy import ARRAY, BigInteger, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.referrals.types import Doubt, Flag, Referral

DEEPEST = 32
"""Generations that are followed upward."""
_SAME_PHONE = text("""
    SELECT a.id FROM members a JOIN members b ON a.phone_index = b.phone_index
    WHERE b.id = :friend AND a.id <> b.id AND a.status = 'active' ORDER BY a.id LIMIT 20
""")
_SAME_DEVICE = text("""
    SELECT DISTINCT other.member_id FROM referral_devices own
    JOIN referral_devices other ON other.fingerprint = own.fingerprint AND other.member_id <> own.member_id
    WHERE own.member_id = :friend AND (
        other.member_id = :referrer
        OR other.member_id IN (SELECT friend_id FROM referrals WHERE referrer_id = :referrer)
    ) ORDER BY other.member_id LIMIT 20
""")
_RING = text("""
    WITH RECURSIVE upward(member_id, path) AS (
        SELECT referrer_id, ARRAY[friend_id, referrer_id] FROM referrals WHERE friend_id = :friend
        UNION ALL
        SELECT r.referrer_id, u.path || r.referrer_id
        FROM upward u JOIN referrals r ON r.friend_id = u.member_id
        WHERE u.member_id <> :friend AND r.referrer_id <> ALL (u.path[2:]) AND cardinality(u.path) <= :deepest
    )
    SELECT path FROM upward u
    WHERE u.member_id = :friend OR cardinality(u.path) > 2 AND (
        EXISTS (
            SELECT FROM members a JOIN members b ON a.phone_index = b.phone_index
            WHERE a.id = u.member_id AND b.id = :friend
        ) OR EXISTS (
            SELECT FROM referral_devices a JOIN referral_devices b ON a.fingerprint = b.fingerprint
            WHERE a.member_id = u.member_id AND b.member_id = :friend
        )
    )
    ORDER BY cardinality(path) LIMIT 1
""").columns(path=ARRAY(BigInteger))


async def doubts(session: AsyncSession, referral: Referral) -> tuple[Doubt, ...]:
    """Everything that speaks against the referral now, with what was noted when the friend came."""
    found = [doubt for doubt in referral.doubts if doubt.flag is Flag.VELOCITY]
    if referral.friend_id == referral.referrer_id:
        found.append(Doubt(Flag.SELF, "profiles were merged"))
    ids = {"friend": referral.friend_id, "referrer": referral.referrer_id}
    phones = await _ids(session, _SAME_PHONE, friend=referral.friend_id)
    if referral.referrer_id in phones:
        found.append(Doubt(Flag.SELF, "the same phone"))
    elif phones:
        found.append(Doubt(Flag.SHARED_PHONE, _named(phones)))
    devices = await _ids(session, _SAME_DEVICE, **ids)
    if devices:
        found.append(Doubt(Flag.SHARED_DEVICE, _named(devices)))
    ring = await ring_of(session, referral.friend_id)
    if ring:
        found.append(Doubt(Flag.RING, " → ".join(str(member_id) for member_id in reversed(ring))))
    return tuple(found)


async def ring_of(session: AsyncSession, member_id: int) -> list[int]:
    """The shortest way up from the member to themselves, or to a forebear who shares their phone or a device.

    The member first, each followed by who invited them; empty when there is none. The direct referrer counts only
    when it is the member. At most 32 generations are followed.
    """
    found = await session.scalar(_RING, {"friend": member_id, "deepest": DEEPEST})
    return list(found or [])


async def _ids(session: AsyncSession, query: TextClause, **values: int) -> list[int]:
    return list(await session.scalars(query, values))


def _named(ids: list[int]) -> str:
    return ", ".join(str(member_id) for member_id in ids)
