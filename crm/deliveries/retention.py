"""How long single deliveries are kept; the figures of a campaign stand in its chunks and stay."""

from crm.retention.types import Retained

deliveries = Retained(
    key="deliveries",
    label="Who was sent what, message by message",
    days=396,
    least_days=62,
    partitioned=(
        "bulk_deliveries",
        "interactive_deliveries",
        "delivery_intents",
        "delivery_results",
        "delivery_sent_groups",
    ),
)
