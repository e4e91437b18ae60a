"""What set-based SQL of other capabilities may read of deliveries."""

from sqlalchemy import select

from crm.deliveries.derived import STATES
from crm.deliveries.models import SourceRow

delivery_states = select(*STATES.c).subquery("delivery_states_view")
"""One row per delivery: delivery_id, source_kind, source_id (text), source_month, member_id, step, state, reason,
detail, not_before, identity_id, provider_ref, at, attempts. Always filter by `source_month` too where it is known."""
broadcasts = select(
    SourceRow.id,
    SourceRow.source_kind,
    SourceRow.source_id,
    SourceRow.source_month,
    SourceRow.topic,
    SourceRow.status,
    SourceRow.paused_reason,
    SourceRow.resumes_at,
    SourceRow.created_at,
    SourceRow.finished_at,
).subquery("broadcasts_view")
"""id, source_kind, source_id (text), source_month, topic, status, paused_reason, resumes_at, created_at and
finished_at."""
