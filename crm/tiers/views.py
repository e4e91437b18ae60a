"""What set-based SQL of other capabilities may read of tiers."""

from sqlalchemy import select

from crm.tiers.models import HistoryRow, StandingRow

standings = select(
    StandingRow.member_id,
    StandingRow.tier,
    StandingRow.earned,
    StandingRow.since,
    StandingRow.falls_at,
    StandingRow.risk_ends_at,
    StandingRow.grant_until,
).subquery("tier_standings_view")
"""Where members stand: member_id, tier, earned, since, falls_at, risk_ends_at, grant_until; no row for who never had a
tier."""
history = select(
    HistoryRow.member_id, HistoryRow.tier, HistoryRow.started_at, HistoryRow.ended_at, HistoryRow.reason
).subquery("tier_history_view")
"""Intervals: member_id, tier, started_at, ended_at (None: still), reason."""
