"""What a test of this folder works with."""

from dataclasses import dataclass

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions, make_engine
from crm.points import service as points
from runtime.demo_data.dice import Dice
from tests.chaos.crowd import Crowd, gather_crowd
from tests.chaos.inbound.estate import Estate, Ground
from tests.chaos.inbound.post import Post, door_of
from tests.chaos.provider import Provider


@dataclass(frozen=True)
class Scene:
    """The deployment, the ground that it stands on, and the ways to look at both."""

    estate: Estate
    ground: Ground
    telegram: Provider
    office: httpx.AsyncClient
    """The admin API, where the process `api` runs."""
    database: asyncpg.Connection
    """Past the proxy; ends when PostgreSQL is stopped."""
    sessions: Sessions
    """Over the same database, past the proxy."""

    async def crowd(self, name: str, size: int, *, rate: float = 1000.0) -> Crowd:
        """A new bot with members; needs the `api`."""
        return await gather_crowd(self.office, self.database, self.telegram, name, size, rate=rate)

    async def post(self, crowd: Crowd, dice: Dice) -> Post:
        """Telegram's side of the webhook of the crowd's bot, over every api process that runs."""
        return Post(await door_of(self.sessions, crowd.bot_id), self.estate.bases(), dice)

    async def look(self) -> asyncpg.Connection:
        """Another connection past the proxy, once PostgreSQL was stopped and is back."""
        return await asyncpg.connect(self.ground.direct(self.estate.settings["SIYU_DATABASE_URL"]))

    async def is_sound(self) -> bool:
        """Whether the ledger re-derives without a contradiction, also when PostgreSQL has moved meanwhile."""
        engine = make_engine(self.ground.direct(self.estate.settings["SIYU_DATABASE_URL"]), pool_size=1)
        try:
            async with AsyncSession(engine) as session:
                return (await points.verify(session)).is_clean
        finally:
            await engine.dispose()
