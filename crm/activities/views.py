"""What set-based SQL of other capabilities may read of activities."""

from sqlalchemy import select

from crm.activities.models import ActivityRow, RegistrationRow

registrations = (
    select(
        RegistrationRow.activity_id,
        RegistrationRow.member_id,
        RegistrationRow.status,
        RegistrationRow.registered_at,
        RegistrationRow.changed_at,
        ActivityRow.ends_at,
        ActivityRow.status.label("activity_status"),
    )
    .join(ActivityRow, ActivityRow.id == RegistrationRow.activity_id)
    .subquery("activity_registrations_view")
)
"""Registrations: activity_id, member_id, status, registered_at, changed_at, the activity's ends_at and status."""
