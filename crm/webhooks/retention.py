"""How long the log of outgoing webhooks is kept."""

from crm.retention.types import Retained

log = Retained(
    key="webhooks",
    label="Outgoing webhooks and their attempts",
    days=93,
    least_days=31,
    partitioned=("webhook_messages", "webhook_attempts"),
)
