"""What the deployment keeps: counted before and after a refusal, to prove that nothing is half done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

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


@asynccontextmanager
async def nothing_kept(database_url: str) -> AsyncIterator[None]:
    """The block adds and removes no row."""
    before = await counts(database_url)
    yield
    after = await counts(database_url)
    changed = {kind: after[kind] - before[kind] for kind in before if after[kind] != before[kind]}
    assert not changed, f"rows that came or went: {changed}"
