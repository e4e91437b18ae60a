"""Many members of a bot at once, by set-based SQL over the real tables: what is tried begins after this."""

from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx

from bot.channels.telegram.simulator.json_types import Json
from tests.chaos.provider import Provider

_FILL = (
    """INSERT INTO members (id, display_name, locale, signed_up_at)
       SELECT n, 'Member ' || n, 'en', siyu_now() FROM generate_series($1::bigint, $2::bigint) n""",
    """INSERT INTO profiles (member_id, locale, stage, signed_up_at, tag_ids)
       SELECT n, 'en', 'new', siyu_now(), ARRAY[$3::int] FROM generate_series($1::bigint, $2::bigint) n""",
    """INSERT INTO member_tags (member_id, tag_id, source)
       SELECT n, $3::int, 'chaos' FROM generate_series($1::bigint, $2::bigint) n""",
    """INSERT INTO identities (id, member_id, bot_id, channel, address, display_name)
       SELECT n, n, $3::bigint, 'telegram', n::text, 'Member ' || n FROM generate_series($1::bigint, $2::bigint) n""",
    """INSERT INTO consent_states (member_id, channel, topic, is_given, text_version, source, at)
       SELECT n, 'telegram', 'news', true, 'chaos', 'chaos', siyu_now()
       FROM generate_series($1::bigint, $2::bigint) n""",
)
_FIRST = 5_000_000
FAST = 1_000.0
"""Messages a second, the highest rate that a bot may have."""


@dataclass(frozen=True)
class Crowd:
    """The members of one new bot; a member's id is also the id of identity and chat."""

    bot_id: int
    provider_bot: Json
    first: int
    last: int
    tag: str

    @property
    def size(self) -> int:
        """How many they are."""
        return self.last - self.first + 1

    @property
    def chats(self) -> range:
        """The ids of their chats."""
        return range(self.first, self.last + 1)

    @property
    def members(self) -> range:
        """Their ids."""
        return range(self.first, self.last + 1)

    @property
    def telegram_id(self) -> int:
        """The bot's id at the provider."""
        return int(self.provider_bot["id"])

    @property
    def rule(self) -> Any:
        """A segment's rule that selects them and nobody else."""
        return {"condition": "tag", "tag": self.tag}


async def alone(database: asyncpg.Connection, crowd: Crowd, member_id: int) -> Crowd:
    """One of them as a crowd of its own, so that many campaigns need not wait for each other in one chat."""
    name = f"alone {member_id}"
    tag_id = await database.fetchval("INSERT INTO tags (group_name, name) VALUES ('chaos', $1) RETURNING id", name)
    await database.execute(
        "INSERT INTO member_tags (member_id, tag_id, source) VALUES ($1, $2, 'chaos')", member_id, tag_id
    )
    await database.execute("UPDATE profiles SET tag_ids = tag_ids || $2::int WHERE member_id = $1", member_id, tag_id)
    return replace(crowd, first=member_id, last=member_id, tag=f"chaos:{name}")


async def gather_crowd(
    office: httpx.AsyncClient,
    database: asyncpg.Connection,
    telegram: Provider,
    name: str,
    size: int,
    *,
    rate: float = FAST,
) -> Crowd:
    """A new bot with `size` members who signed up, can be reached and have agreed to news; needs the `api`."""
    account = await telegram.new_bot(name)
    made = await office.post("bots", json={"channel": "telegram", "name": name, "token": account["token"]})
    assert made.status_code == 201, made.text
    bot_id = int(made.json()["id"])
    changed = await office.patch(f"bots/{bot_id}", json={"bulk_rate": rate})
    assert changed.status_code == 200, changed.text
    newest = await database.fetchval("SELECT coalesce(max(id), 0) FROM members WHERE id >= $1", _FIRST)
    first = max(_FIRST, int(newest) + 1)
    tag_id = await database.fetchval(
        "INSERT INTO tags (group_name, name) VALUES ('chaos', $1) RETURNING id", f"{name} {first}"
    )
    crowd = Crowd(bot_id, account, first, first + size - 1, f"chaos:{name} {first}")
    async with database.transaction():
        for statement in _FILL:
            owner = [] if "$3" not in statement else [bot_id if "identities" in statement else tag_id]
            await database.execute(statement, crowd.first, crowd.last, *owner)
    for table in ("members", "profiles", "identities", "consent_states", "member_tags"):
        await database.execute(f"ANALYZE {table}")
    return crowd
