"""How bots reach their server: token and address, read through `crm.bots` and remembered for a few seconds."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.bots.types import Bot
from crm.db.session import Sessions
from crm.kit.clock import monotonic
from crm.kit.crypto import SealBrokenError
from crm.kit.errors import DomainError

if TYPE_CHECKING:
    from crm.config.settings import Settings

log = structlog.get_logger(__name__)
DATABASE_AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a query raises when the database cannot be reached now."""
OFFICIAL_SERVER = "https://api.telegram.org"
_REMEMBER_SECONDS = 5.0


@dataclass(frozen=True)
class Access:
    """A bot's token and the address of the Bot API server that knows it."""

    token: str = field(repr=False)
    server: str

    def __hash__(self) -> int:
        """A text remembers its hash; two of them in a tuple would be hashed anew for every message."""
        return hash(self.token)


def server_of(settings: "Settings") -> str:
    """The Bot API server that this deployment talks to, unless a bot names another one."""
    return str(settings.telegram.api_base or OFFICIAL_SERVER).rstrip("/")


async def access_of(session: AsyncSession, bot: Bot, server: str) -> Access:
    """How to reach this bot's server: its own one (`api_base` in its settings), else `server`.

    Raises InvalidBot when it has no token, SealBrokenError when the token was sealed under another secret.
    """
    own = bot.settings.get("api_base")
    return Access(await bots.token(session, bot.id), str(own).rstrip("/") if own else server)


async def readable_access(session: AsyncSession, bot: Bot, server: str) -> Access | None:
    """As `access_of`; None, and a line in the log, for a bot whose token cannot be used."""
    try:
        return await access_of(session, bot, server)
    except (DomainError, SealBrokenError) as error:
        log.warning(
            "bot_without_usable_token", bot_id=bot.id, error=type(error).__name__, remedy="enter its token again"
        )
        return None


class Accesses:
    """Accesses by bot."""

    def __init__(self, sessions: Sessions, server: str) -> None:
        self._sessions = sessions
        self._server = server
        self._known: dict[int, tuple[Access, float]] = {}
        self._asking: dict[int, asyncio.Lock] = {}

    async def of(self, bot_id: int) -> Access:
        """The bot's access, at most five seconds old. Raises DomainError, SealBrokenError, or one of DATABASE_AWAY."""
        known = self._remembered(bot_id)
        if known is not None:
            return known
        # One asks, however many wait: a busy bot has dozens of calls under way when its access grows old.
        async with self._asking.setdefault(bot_id, asyncio.Lock()):
            return self._remembered(bot_id) or await self.fresh(bot_id)

    def _remembered(self, bot_id: int) -> Access | None:
        known = self._known.get(bot_id)
        return known[0] if known is not None and known[1] > monotonic() else None

    async def fresh(self, bot_id: int) -> Access:
        """The bot's access as it is now. Raises as `of`."""
        async with self._sessions() as session:
            access = await access_of(session, await bots.get(session, bot_id), self._server)
        self._known[bot_id] = (access, monotonic() + _REMEMBER_SECONDS)
        return access


async def stop_refused(sessions: Sessions, bot_id: int, token: str, detail: str) -> bool:
    """Stop a bot whose token its server refused; False when it got another token meanwhile."""
    async with sessions.begin() as session:
        if await bots.token(session, bot_id) != token:
            return False
        await bots.refuse(session, bot_id, detail)
    return True
