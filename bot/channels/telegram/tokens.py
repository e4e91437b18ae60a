"""The tokens of bots, read through `crm.bots` and remembered for a few seconds."""

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from crm.bots import service as bots
from crm.db.session import Sessions
from crm.kit.clock import monotonic

DATABASE_AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a query raises when the database cannot be reached now."""
_REMEMBER_SECONDS = 5.0


class Tokens:
    """Plain tokens by bot."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._known: dict[int, tuple[str, float]] = {}

    async def of(self, bot_id: int) -> str:
        """The bot's token, at most five seconds old. Raises BotNotFound, InvalidBot, or one of DATABASE_AWAY."""
        known = self._known.get(bot_id)
        if known is not None and known[1] > monotonic():
            return known[0]
        return await self.fresh(bot_id)

    async def fresh(self, bot_id: int) -> str:
        """The bot's token as it is now. Raises as `of`."""
        async with self._sessions() as session:
            token = await bots.token(session, bot_id)
        self._known[bot_id] = (token, monotonic() + _REMEMBER_SECONDS)
        return token


async def stop_refused(sessions: Sessions, bot_id: int, token: str, detail: str) -> bool:
    """Stop a bot whose token its server refused; False when it got another token meanwhile."""
    async with sessions.begin() as session:
        if await bots.token(session, bot_id) != token:
            return False
        await bots.stop(session, bot_id, f"Telegram refused the token ({detail}); enter a new one")
    return True
