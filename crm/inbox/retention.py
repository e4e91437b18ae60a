"""How long raw updates are kept: what was done with them stands in the timeline.

The ids by which repeated updates are known have eight days of their own, see `service.KEEP_KEYS`.
"""

from crm.retention.types import Retained

updates = Retained(
    key="updates",
    label="Raw messages as providers sent them",
    days=30,
    least_days=8,
    partitioned=("inbound_updates",),
    rows=(("inbound_dead_letters", "died_at"),),
)
