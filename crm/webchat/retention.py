"""How long the web chat shows what was written."""

from crm.retention.types import Retained

messages = Retained(
    key="webchat",
    label="Messages of the web chat",
    days=731,
    least_days=31,
    partitioned=("webchat_messages",),
)
