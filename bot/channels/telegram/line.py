"""Calls in the name of a bot of ours: its token, its server, one more try when the token has just changed."""

from collections.abc import Mapping
from typing import Any

from bot.channels.contract import ChannelContext
from crm.db.session import Sessions
from crm.kit.crypto import SealBrokenError
from crm.kit.errors import DomainError

from .access import DATABASE_AWAY, Accesses, server_of
from .answers import Answer, Failure, Phase, Reply, Upload
from .outcomes import is_bad_token
from .transport import READ_TIMEOUT, BotApi


class Line:
    """Calls methods for bots by their id; answers and never raises."""

    def __init__(self, api: BotApi, sessions: Sessions, server: str, *, read_timeout: float = READ_TIMEOUT) -> None:
        self._api = api
        self._accesses = Accesses(sessions, server)
        self._read_timeout = read_timeout

    async def call(
        self,
        bot_id: int,
        method: str,
        values: Mapping[str, Any],
        *,
        upload: Upload | None = None,
        pool: str = "",
        read_timeout: float | None = None,
    ) -> Reply:
        """Make one call; `read_timeout` in seconds."""
        seconds = self._read_timeout if read_timeout is None else read_timeout
        try:
            access = await self._accesses.of(bot_id)
            reply = await self._api.call(access, method, values, upload=upload, pool=pool, read_timeout=seconds)
            if not is_bad_token(reply):
                return reply
            newer = await self._accesses.fresh(bot_id)
        except DomainError as error:
            return Answer(401, description=error.detail)
        except (*DATABASE_AWAY, SealBrokenError) as error:
            return Failure(Phase.CONNECT, f"the bot's token cannot be read now: {type(error).__name__}")
        if newer == access:
            return reply
        await self._api.forget(access)
        return await self._api.call(newer, method, values, upload=upload, pool=pool, read_timeout=seconds)

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()


def open_line(context: ChannelContext) -> Line:
    """A line to the server that the settings name."""
    return Line(BotApi(), context.sessions, server_of(context.settings))
