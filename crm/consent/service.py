"""Use cases of consent: giving, withdrawing, and where a member stands."""

import re

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent.errors import InvalidTopic, TopicTaken, UnknownTopic
from crm.consent.models import ConsentRow, ConsentStateRow, TopicRow
from crm.consent.types import ConsentStatus, Topic
from crm.db import clock
from crm.events.catalogue import ConsentChanged
from crm.events.service import publish
from crm.kit.text import clean_text

_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def give(
    session: AsyncSession,
    member_id: int,
    *,
    channel: str,
    topic: str,
    text_version: str,
    source: str,
    proof: str | None = None,
) -> bool:
    """Record that the member agreed to `topic` on `channel`; False when they had, to the same text.

    `text_version` says what they agreed to, `proof` where they said so (`update:123`). Raises UnknownTopic.
    """
    wanted = ConsentStatus(channel, topic, True, text_version, source, await clock.now(session))
    return await decide(session, member_id, wanted, proof=proof)


async def withdraw(
    session: AsyncSession, member_id: int, *, channel: str, topic: str, source: str, proof: str | None = None
) -> bool:
    """Record that the member wants no more of `topic` on `channel`; effective with this transaction's commit.

    False when that was so already. Raises UnknownTopic.
    """
    wanted = ConsentStatus(channel, topic, False, "", source, await clock.now(session))
    return await decide(session, member_id, wanted, proof=proof)


async def withdraw_all(
    session: AsyncSession, member_id: int, *, channel: str | None = None, source: str, proof: str | None = None
) -> int:
    """Withdraw every topic on one channel, or on every channel with a decision; answers how many changed."""
    pairs = {(item.channel, item.topic) for item in await status(session, member_id)}
    if channel is not None:
        pairs = {(channel, item.key) for item in await topics(session, with_archived=True)}
    changed = 0
    for of_channel, topic in sorted(pairs):
        changed += await withdraw(session, member_id, channel=of_channel, topic=topic, source=source, proof=proof)
    return changed


async def status(session: AsyncSession, member_id: int) -> list[ConsentStatus]:
    """The member's last decisions by channel and topic."""
    rows = await session.scalars(
        select(ConsentStateRow)
        .where(ConsentStateRow.member_id == member_id)
        .order_by(ConsentStateRow.channel, ConsentStateRow.topic)
        .execution_options(populate_existing=True)
    )
    return [_status(row) for row in rows]


async def decide(session: AsyncSession, member_id: int, wanted: ConsentStatus, *, proof: str | None = None) -> bool:
    """Append a decision and make it the current one; False when it changes nothing. Raises UnknownTopic."""
    if await session.get(TopicRow, wanted.topic) is None:
        raise UnknownTopic(f"there is no topic {wanted.topic[:64]!r}; make it in the settings first")
    present = [item for item in await status(session, member_id) if _place(item) == _place(wanted)]
    if present and _says_the_same(present[0], wanted):
        return False
    values = {**vars(wanted), "member_id": member_id}
    await session.execute(insert(ConsentRow).values(**values, proof=proof))
    keys = ["member_id", "channel", "topic"]
    state = upsert(ConsentStateRow).values(**values)
    changes = {name: state.excluded[name] for name in values if name not in keys}
    await session.execute(state.on_conflict_do_update(index_elements=keys, set_=changes))
    place = {"channel": wanted.channel, "topic": wanted.topic}
    await publish(session, ConsentChanged(member_id=member_id, **place, is_given=wanted.is_given, source=wanted.source))
    return True


async def topics(session: AsyncSession, *, with_archived: bool = False) -> list[Topic]:
    """All topics by key."""
    query = select(TopicRow).order_by(TopicRow.key)
    if not with_archived:
        query = query.where(TopicRow.is_archived.is_(False))
    return [_topic(row) for row in await session.scalars(query)]


async def create_topic(session: AsyncSession, key: str, *, name: dict[str, str], is_default: bool = False) -> Topic:
    """A new topic. Raises InvalidTopic, TopicTaken."""
    if not _KEY.fullmatch(key):
        raise InvalidTopic
    if await session.get(TopicRow, key) is not None:
        raise TopicTaken(f"the topic {key} exists already")
    row = TopicRow(key=key, name=_name(name), is_default=is_default)
    session.add(row)
    await session.flush()
    return Topic(row.key, row.name, is_default)


async def change_topic(
    session: AsyncSession,
    key: str,
    *,
    name: dict[str, str] | None = None,
    is_default: bool | None = None,
    is_archived: bool | None = None,
) -> Topic:
    """Change what is given; decisions stay. Raises UnknownTopic, InvalidTopic."""
    row = await session.get(TopicRow, key)
    if row is None:
        raise UnknownTopic
    row.name = row.name if name is None else _name(name)
    row.is_default = row.is_default if is_default is None else is_default
    row.is_archived = row.is_archived if is_archived is None else is_archived
    await session.flush()
    return _topic(row)


def _name(name: dict[str, str]) -> dict[str, str]:
    cleaned = {locale: clean_text(text).strip() for locale, text in name.items()}
    if not cleaned or not all(cleaned.values()):
        raise InvalidTopic
    return cleaned


def _says_the_same(present: ConsentStatus, wanted: ConsentStatus) -> bool:
    is_same_text = not wanted.is_given or present.text_version == wanted.text_version
    return present.is_given == wanted.is_given and is_same_text


def _place(item: ConsentStatus) -> tuple[str, str]:
    return item.channel, item.topic


def _topic(row: TopicRow) -> Topic:
    return Topic(row.key, dict(row.name), row.is_default, row.is_archived)


def _status(row: ConsentStateRow) -> ConsentStatus:
    return ConsentStatus(row.channel, row.topic, row.is_given, row.text_version, row.source, row.at)
