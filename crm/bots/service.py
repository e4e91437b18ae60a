"""Use cases of bots: adding, looking up, stopping and starting them, and their secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.bots.errors import BotNotFound, InvalidBot, TokenTaken
from crm.bots.models import BotRow
from crm.bots.types import Bot, BotStatus
from crm.db import clock
from crm.db.session import vault
from crm.kit.ids import token as random_token
from crm.kit.text import clean_name

MAX_BULK_RATE = 1000.0
REFUSED = "the provider refused the token"
LONG_PAUSE = 600.0
"""Seconds of a pause from which on an operator is told."""
_MAX_REASON = 300
TOKEN, PATH, SECRET = "bots.token", "bots.path", "bots.webhook_secret"
_MAX_TOKEN = 512


async def add(
    session: AsyncSession,
    *,
    channel: str,
    name: str,
    token: str | None,
    username: str | None = None,
    is_demo: bool = False,
    mode: str = "polling",
    settings: dict[str, Any] | None = None,
) -> Bot:
    """A new active bot with a webhook path and secret of its own. Raises InvalidBot, TokenTaken."""
    if not channel.strip():
        raise InvalidBot("a bot needs the name of its channel")
    safe = vault(session)
    bot_id = (await session.execute(select(func.nextval("bots_id_seq")))).scalar_one()
    path = random_token(size=16)
    row = BotRow(
        id=bot_id,
        channel=channel.strip(),
        name=_name(name),
        username=username,
        is_demo=is_demo,
        mode=mode,
        settings=settings or {},
        path_sealed=safe.seal(path, f"{PATH}:{bot_id}"),
        path_index=safe.blind_index(path, PATH),
        webhook_secret_sealed=safe.seal(random_token(), f"{SECRET}:{bot_id}"),
    )
    session.add(row)
    if token is not None:
        await _give_token(session, row, token)
    await session.flush()
    await session.refresh(row)
    return _bot(row)


async def get(session: AsyncSession, bot_id: int) -> Bot:
    """One bot. Raises BotNotFound."""
    return _bot(await _row(session, bot_id))


async def listing(session: AsyncSession, channel: str | None = None, *, active_only: bool = False) -> list[Bot]:
    """All bots by id, those of one channel, or the active ones."""
    query = select(BotRow).order_by(BotRow.id)
    if channel is not None:
        query = query.where(BotRow.channel == channel)
    if active_only:
        query = query.where(BotRow.status == BotStatus.ACTIVE)
    return [_bot(row) for row in await session.scalars(query)]


async def find_by_path(session: AsyncSession, path_secret: str) -> Bot | None:
    """The bot whose webhook has this random path."""
    indexes = vault(session).blind_indexes(path_secret, PATH)
    row = await session.scalar(select(BotRow).where(BotRow.path_index.in_(indexes)))
    return None if row is None else _bot(row)


async def token(session: AsyncSession, bot_id: int) -> str:
    """The plain token, for the channel's adapter only. Raises BotNotFound, InvalidBot when there is none."""
    row = await _row(session, bot_id)
    if row.token_sealed is None:
        raise InvalidBot(f"bot {bot_id} has no token; enter one in the settings")
    return vault(session).open(row.token_sealed, f"{TOKEN}:{bot_id}")


async def webhook_path_secret(session: AsyncSession, bot_id: int) -> str:
    """The random last part of the bot's webhook address."""
    row = await _row(session, bot_id)
    return vault(session).open(row.path_sealed, f"{PATH}:{bot_id}")


async def webhook_secret(session: AsyncSession, bot_id: int) -> str:
    """The secret that the provider sends back with each update; compare in constant time."""
    row = await _row(session, bot_id)
    return vault(session).open(row.webhook_secret_sealed, f"{SECRET}:{bot_id}")


async def change(
    session: AsyncSession,
    bot_id: int,
    *,
    name: str | None = None,
    username: str | None = None,
    token: str | None = None,
    mode: str | None = None,
    bulk_rate: float | None = None,
    settings: dict[str, Any] | None = None,
) -> Bot:
    """Change what is given; `settings` is merged into the present ones, None removes a key."""
    row = await _row(session, bot_id)
    if name is not None:
        row.name = _name(name)
    row.username = username if username is not None else row.username
    row.mode = mode or row.mode
    if bulk_rate is not None:
        if not 0 < bulk_rate <= MAX_BULK_RATE:
            raise InvalidBot(f"the bulk rate must be above 0 and at most {MAX_BULK_RATE:g} messages a second")
        row.bulk_rate = bulk_rate
    if settings is not None:
        row.settings = {key: value for key, value in {**row.settings, **settings}.items() if value is not None}
    if token is not None:
        await _give_token(session, row, token)
        if (row.stopped_reason or "").startswith(REFUSED):
            row.status, row.stopped_reason = BotStatus.ACTIVE, None
    await session.flush()
    return _bot(row)


async def pause_bulk(session: AsyncSession, bot_id: int, until: datetime) -> None:
    """No bulk message before `until`; a pause is only ever made longer."""
    later = func.greatest(func.coalesce(BotRow.bulk_paused_until, until), until)
    await session.execute(update(BotRow).where(BotRow.id == bot_id).values(bulk_paused_until=later))
    if (until - await clock.now(session)).total_seconds() > LONG_PAUSE:
        await alerts.raise_alert(session, AlertKind.BOT_PAUSED, str(bot_id), paused_words(until))


def paused_words(until: datetime) -> str:
    """What an alert says of a long pause."""
    return f"The provider asked for no bulk messages until {until:%Y-%m-%d %H:%M} UTC; sending goes on by itself then."


async def refuse(session: AsyncSession, bot_id: int, detail: str) -> Bot:
    """Stop a bot whose token its provider refuses; a new token starts it again."""
    bot = await stop(session, bot_id, f"{REFUSED} ({detail}); enter a new one"[:_MAX_REASON])
    await alerts.raise_alert(
        session, AlertKind.BOT_REFUSED, str(bot_id), f"The bot stands still: {bot.stopped_reason}."
    )
    return bot


async def stop(session: AsyncSession, bot_id: int, reason: str) -> Bot:
    """Stop receiving and sending with this bot, for instance because its token was revoked."""
    row = await _row(session, bot_id)
    row.status, row.stopped_reason = BotStatus.STOPPED, reason
    await session.flush()
    return _bot(row)


async def start(session: AsyncSession, bot_id: int) -> Bot:
    """Let a stopped bot work again, without any pause."""
    row = await _row(session, bot_id)
    row.status, row.stopped_reason, row.bulk_paused_until = BotStatus.ACTIVE, None, None
    await session.flush()
    return _bot(row)


def _name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidBot("a bot needs a name")
    return cleaned


async def _row(session: AsyncSession, bot_id: int) -> BotRow:
    row = await session.get(BotRow, bot_id, populate_existing=True)
    if row is None:
        raise BotNotFound(bot_id=bot_id)
    return row


async def _give_token(session: AsyncSession, row: BotRow, plain: str) -> None:
    plain = plain.strip()
    if not plain or len(plain) > _MAX_TOKEN or not plain.isascii() or not plain.isprintable():
        raise InvalidBot("a token is plain text without spaces at the ends, as the channel's provider shows it")
    indexes = vault(session).blind_indexes(plain, TOKEN)
    with session.no_autoflush:
        taken = await session.scalar(select(BotRow.id).where(BotRow.token_index.in_(indexes), BotRow.id != row.id))
    if taken is not None:
        raise TokenTaken(bot_id=taken)
    row.token_index = indexes[0]
    row.token_sealed = vault(session).seal(plain, f"{TOKEN}:{row.id}")


def _bot(row: BotRow) -> Bot:
    return Bot(
        id=row.id,
        channel=row.channel,
        name=row.name,
        username=row.username,
        status=BotStatus(row.status),
        stopped_reason=row.stopped_reason,
        is_demo=row.is_demo,
        mode=row.mode,
        bulk_rate=row.bulk_rate,
        bulk_paused_until=row.bulk_paused_until,
        settings=dict(row.settings),
        has_token=row.token_sealed is not None,
        created_at=row.created_at,
    )
