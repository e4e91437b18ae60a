"""The same check-in as most bots are built today: aiogram's dispatcher, its FSM in Redis, objects of the ORM.

It stores no raw update, no transcript and no outbox, has no journal and no hash chain: whatever it is given for free
makes it faster than it would be if it did what Siyu does.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.methods import TelegramMethod
from aiogram.types import Message, Update
from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.members import TOKEN
from crm.db.base import Timestamp
from crm.db.session import async_url
from crm.kit.clock import monotonic, process_now

_POINTS = 10


class _Base(DeclarativeBase):
    pass


class _Person(_Base):
    __tablename__ = "peer_people"
    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    name: Mapped[str]
    balance: Mapped[int]
    streak: Mapped[int]
    last_on: Mapped[date | None]


class _Day(_Base):
    __tablename__ = "peer_days"
    __table_args__ = (UniqueConstraint("person_id", "day"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("peer_people.id"))
    day: Mapped[date]


class _Entry(_Base):
    __tablename__ = "peer_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("peer_people.id"))
    amount: Mapped[int]
    balance: Mapped[int]
    at: Mapped[Timestamp]


class _Fact(_Base):
    __tablename__ = "peer_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("peer_people.id"))
    kind: Mapped[str]
    at: Mapped[Timestamp]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class _Silent(BaseSession):
    """Takes every call and does nothing: the provider is left out on both sides."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109 - aiogram's signature
    ) -> Any:
        del bot, method, timeout

    async def close(self) -> None:
        """Nothing is open."""

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        yield b""


_Sessions = async_sessionmaker[AsyncSession]


async def _check_in(message: Message, state: FSMContext, sessions: _Sessions) -> None:
    assert message.from_user is not None
    now = process_now()
    async with sessions.begin() as session:
        person = await _person(session, message.from_user.id, message.from_user.full_name)
        is_new = await _count(session, person, now)
        text = f"+{_POINTS}: {person.balance}, day {person.streak}" if is_new else "You were here today."
    await state.update_data(last_check_in=now.isoformat())
    await message.answer(text)


async def _person(session: AsyncSession, telegram_id: int, name: str) -> _Person:
    query = select(_Person).where(_Person.telegram_id == telegram_id).with_for_update()
    person = (await session.scalars(query)).one_or_none()
    if person is None:
        person = _Person(telegram_id=telegram_id, name=name, balance=0, streak=0, last_on=None)
        session.add(person)
        await session.flush()
    return person


async def _count(session: AsyncSession, person: _Person, now: datetime) -> bool:
    today = now.date()
    query = select(_Day).where(_Day.person_id == person.id, _Day.day == today)
    if (await session.scalars(query)).one_or_none() is not None:
        return False
    person.streak = person.streak + 1 if person.last_on == today - timedelta(days=1) else 1
    person.balance += _POINTS
    person.last_on = today
    data = {"streak": person.streak, "points": _POINTS}
    session.add(_Day(person_id=person.id, day=today))
    session.add(_Entry(person_id=person.id, amount=_POINTS, balance=person.balance, at=now))
    session.add(_Fact(person_id=person.id, kind="checked_in", at=now, data=data))
    await session.flush()
    return True


@asynccontextmanager
async def _open(postgres_url: str, valkey_url: str, pool: int) -> AsyncIterator[tuple[Dispatcher, Bot, _Sessions]]:
    engine = create_async_engine(async_url(postgres_url), pool_size=pool, max_overflow=0)
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    storage = RedisStorage.from_url(valkey_url)
    router = Router()
    router.message.register(_check_in, Command("checkin"))
    dispatcher = Dispatcher(storage=storage)
    dispatcher.include_router(router)
    bot = Bot(TOKEN, session=_Silent())
    try:
        yield dispatcher, bot, async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await storage.close()
        await engine.dispose()


async def measure_peer(
    postgres_url: str, valkey_url: str, updates: Sequence[bytes], *, concurrent: int, seconds: float
) -> float:
    """Check-ins a second by that bot, `concurrent` at once, for at most `seconds`."""
    waiting = iter(updates)
    done = 0
    async with _open(postgres_url, valkey_url, concurrent) as (dispatcher, bot, sessions):

        async def feed() -> None:
            nonlocal done
            for raw in waiting:
                update = Update.model_validate(orjson.loads(raw), context={"bot": bot})
                await dispatcher.feed_update(bot, update, sessions=sessions)
                done += 1
                if monotonic() - begun > seconds:
                    return

        begun = monotonic()
        await asyncio.gather(*(feed() for _ in range(concurrent)))
        return done / (monotonic() - begun)
