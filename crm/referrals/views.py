"""What set-based SQL of other capabilities may read of referrals."""

from sqlalchemy import select

from crm.referrals.models import ReferralRow

referrals = select(
    ReferralRow.id,
    ReferralRow.programme_id,
    ReferralRow.referrer_id,
    ReferralRow.friend_id,
    ReferralRow.status,
    ReferralRow.joined_at,
    ReferralRow.acted_at,
    ReferralRow.decided_at,
).subquery("referrals_view")
"""Every referral: id, programme_id, referrer_id, friend_id, status, joined_at, acted_at, decided_at."""
