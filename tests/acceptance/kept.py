"""What the deployment keeps: counted before and after a refusal, to prove that nothing is half done."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg

ATTEMPTS = 3
_KINDS = (
    *("campaigns", "segments", "message_templates", "members", "identities", "profiles", "events", "event_keys"),
    *("orders", "order_keys", "surveys", "survey_versions", "tags", "member_tags"),
    *("bulk_deliveries", "interactive_deliveries", "delivery_sources"),
    *("journeys", "earning_rules", "bots", "operators", "sources", "ledger_transactions", "api_keys"),
    *("idempotency_keys", "imports", "attribute_definitions", "consents"),
    *("activities", "activity_registrations"),
)
_COUNTS = " UNION ALL ".join(f"SELECT '{kind}', count(*) FROM {kind}" for kind in _KINDS)


async def counts(database_url: str) -> dict[str, int]:
    """Rows by table, of everything that a request may make."""
    connection = await asyncpg.connect(database_url)
    try:
        return {kind: int(number) for kind, number in await connection.fetch(_COUNTS)}
    finally:
        await connection.close()


@dataclass
class Attempt:
    """One try of something that must add and remove no row; what came or went meanwhile."""

    database_url: str
    changed: dict[str, int] = field(default_factory=dict)

    async def __aenter__(self) -> None:
        self._before = await counts(self.database_url)

    async def __aexit__(self, *_: object) -> None:
        after = await counts(self.database_url)
        self.changed = {kind: after[kind] - had for kind, had in self._before.items() if after[kind] != had}


async def nothing_kept(database_url: str) -> AsyncIterator[Attempt]:
    """Attempts at what must add and remove no row, up to one in which none came or went.

    The processes do things of their own at any moment: what a refused request leaves, it leaves each time.
    """
    attempts = [Attempt(database_url) for _ in range(ATTEMPTS)]
    for attempt in attempts:
        yield attempt
        if not attempt.changed:
            return
    raise AssertionError(f"rows that came or went: {[attempt.changed for attempt in attempts]}")
