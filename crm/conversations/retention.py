"""How long the transcripts of conversations are kept."""

from crm.retention.types import Retained

transcripts = Retained(
    key="transcripts",
    label="Transcripts of conversations",
    days=731,
    least_days=31,
    partitioned=("conversation_messages",),
)
