"""What set-based SQL of other capabilities may read of rewards."""

from sqlalchemy import select

from crm.rewards.models import RedemptionRow

redemptions = select(
    RedemptionRow.id,
    RedemptionRow.member_id,
    RedemptionRow.reward_id,
    RedemptionRow.points,
    RedemptionRow.amount,
    RedemptionRow.status,
    RedemptionRow.at,
).subquery("redemptions_view")
"""Every redemption: id, member_id, reward_id, points, amount, status, at."""
