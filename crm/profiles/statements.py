"""Writes of profiles that a hot path combines with its own in one round trip."""

from datetime import datetime

from sqlalchemy import Update, update

from crm.profiles.models import ProfileRow


def seen(member_id: int, at: datetime) -> Update:
    """Set when the member was last heard of."""
    return update(ProfileRow).where(ProfileRow.member_id == member_id).values(last_seen_at=at)
