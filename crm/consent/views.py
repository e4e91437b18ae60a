"""What set-based SQL of other capabilities may read of consent."""

from sqlalchemy import select

from crm.consent.models import ConsentStateRow

current = select(
    ConsentStateRow.member_id,
    ConsentStateRow.channel,
    ConsentStateRow.topic,
    ConsentStateRow.is_given,
    ConsentStateRow.at,
).subquery("consent_current_view")
"""The last decision per (member_id, channel, topic): is_given, at. No row means that consent was never given."""
