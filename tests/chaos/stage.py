"""Everything that a test of this suite works with, in one hand."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from tests.chaos.broadcasts import Campaign, draft
from tests.chaos.crowd import FAST, Crowd, gather_crowd
from tests.chaos.evidence import Evidence, gather
from tests.chaos.fleet import Fleet
from tests.chaos.provider import Provider


@dataclass(frozen=True)
class Stage:
    """The deployment, its office, its database, and the provider beside it."""

    fleet: Fleet
    office: httpx.AsyncClient
    database: asyncpg.Connection
    telegram: Provider

    async def crowd(self, name: str, size: int, *, rate: float = FAST) -> Crowd:
        """A new bot with its members; needs the `api`."""
        return await gather_crowd(self.office, self.database, self.telegram, name, size, rate=rate)

    async def launched(self, crowd: Crowd, **fields: Any) -> Campaign:
        """A campaign to all of them, on its way."""
        campaign = await draft(self.office, crowd, **fields)
        await campaign.do("launch")
        return campaign

    async def evidence(self, crowd: Crowd, campaign: Campaign) -> Evidence:
        """Both sides of the broadcast."""
        return await gather(self.database, self.telegram, crowd, campaign)

    async def alerts(self, kind: str, subject: int | str) -> int:
        """How many alerts of this kind and subject were opened."""
        query = "SELECT count(*) FROM alerts WHERE kind = $1 AND subject = $2"
        return int(await self.database.fetchval(query, kind, str(subject)))
