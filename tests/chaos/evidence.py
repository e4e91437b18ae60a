"""The two sides of a broadcast, laid beside each other: what the provider took, and what the rows say."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.chaos.broadcasts import Campaign
from tests.chaos.crowd import Crowd
from tests.chaos.provider import Provider

_STATES = """
SELECT member_id, state, attempts FROM delivery_states
WHERE source_kind = 'campaign' AND source_id = $1
"""
_KNOW = "ANALYZE delivery_sources, delivery_chunks, bulk_deliveries, delivery_results, delivery_sent_groups"
"""So that the plan is one for what was written in the last minutes, of which autovacuum may know nothing yet."""
_OVER = {"sent", "delivered", "failed", "suppressed", "uncertain", "cancelled"}


@dataclass(frozen=True)
class Evidence:
    """What is known of one campaign when it is over."""

    size: int
    rows: dict[int, str]
    """State by member."""
    attempts: dict[int, int]
    """Calls by member, those that were throttled left out."""
    taken: dict[int, int]
    """Messages that the provider took, by member."""
    shown: dict[str, Any]
    """The counters of the API."""

    @property
    def states(self) -> Counter[str]:
        """How many rows are in each state."""
        return Counter(self.rows.values())

    @property
    def lost(self) -> int:
        """Members without a row, not at an end, or `sent` without the provider having it."""
        open_rows = [member for member, state in self.rows.items() if state not in _OVER]
        unsent = [member for member, state in self.rows.items() if state == "sent" and not self.taken.get(member)]
        return self.size - len(self.rows) + len(open_rows) + len(unsent)

    @property
    def taken_in_all(self) -> int:
        """Messages that the provider took."""
        return sum(self.taken.values())

    @property
    def copies(self) -> int:
        """Messages that the provider took beyond the first of each member."""
        return sum(number - 1 for number in self.taken.values() if number > 1)

    @property
    def unwanted(self) -> int:
        """Members who got one although their row says that nothing was sent."""
        silent = {"suppressed", "failed", "cancelled", "queued"}
        return sum(1 for member, state in self.rows.items() if state in silent and self.taken.get(member))

    @property
    def uncertain(self) -> int:
        """Rows of which nobody knows."""
        return self.states["uncertain"]

    @property
    def is_counted_right(self) -> bool:
        """Whether the API's counters are the rows."""
        counts = self.shown["counts"]
        return counts["total"] == self.size and all(
            counts[state] == self.states[state] for state in (*_OVER, "queued", "claimed", "sending")
        )

    def __str__(self) -> str:
        states = ", ".join(f"{state} {number:,}" for state, number in sorted(self.states.items()))
        said = "counters = rows" if self.is_counted_right else f"counters differ: {self.shown['counts']}"
        return f"lost {self.lost}, copies {self.copies}, {states}, {said}"


async def gather(database: asyncpg.Connection, telegram: Provider, crowd: Crowd, campaign: Campaign) -> Evidence:
    """Ask the rows, the provider and the API."""
    shown = await campaign.read()
    await database.execute(_KNOW)
    rows = await database.fetch(_STATES, str(campaign.id))
    taken = {
        chat: sum(campaign.mark in text for text in texts)
        for chat, texts in telegram.accepted(crowd.telegram_id).items()
    }
    by_member = {row["member_id"]: row for row in rows}
    return Evidence(
        size=crowd.size,
        rows={member: row["state"] for member, row in by_member.items()},
        attempts={member: row["attempts"] for member, row in by_member.items()},
        taken=taken,
        shown=shown,
    )
