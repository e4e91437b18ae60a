"""What set-based SQL of other capabilities may read of profiles."""

from sqlalchemy import select

from crm.profiles.models import ProfileRow

profiles = (
    select(*(column for column in ProfileRow.__table__.columns if column.name != "is_active"))
    .where(ProfileRow.is_active)
    .subquery("profiles_view")
)
"""Active members only; the columns of `types.Profile` but `is_active`."""
