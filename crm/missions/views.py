"""What set-based SQL of other capabilities may read of missions."""

from sqlalchemy import select

from crm.missions.models import HeldBadgeRow, ProgressRow

badges = select(HeldBadgeRow.member_id, HeldBadgeRow.badge_id, HeldBadgeRow.earned_at).subquery("badges_view")
"""Badges that members have: member_id, badge_id, earned_at."""

completions = (
    select(ProgressRow.member_id, ProgressRow.mission_id, ProgressRow.window, ProgressRow.completed_at)
    .where(ProgressRow.completed_at.is_not(None))
    .subquery("completions_view")
)
"""Completed missions: member_id, mission_id, window, completed_at."""
