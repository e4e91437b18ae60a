"""What became of members' mornings: counted in the database when everything is handled."""

from dataclasses import dataclass

import asyncpg

from tests.acceptance.waiting import until
from tests.chaos.crowd import Crowd

CHECK_IN_POINTS, SURVEY_POINTS = 5, 20
_LINES_IN = """
SELECT count(*) FROM conversation_messages m JOIN identities i ON i.id = m.identity_id
WHERE m.direction = 'in' AND i.member_id BETWEEN $1 AND $2
"""
_ONCE = """
SELECT count(*) FROM generate_series($1::bigint, $2::bigint) AS n
WHERE (SELECT count(*) FROM events WHERE member_id = n AND kind = $3) = 1
"""
_ANSWERS = """
SELECT count(*) FROM survey_answers JOIN survey_responses r ON r.id = response_id WHERE r.member_id BETWEEN $1 AND $2
"""
_POINTS = "SELECT count(*) FROM point_accounts WHERE member_id BETWEEN $1 AND $2 AND balance = $3"
_LEFT = "SELECT count(*) FROM inbound_queue"
_DEAD = "SELECT count(*) FROM inbound_dead_letters WHERE bot_id = $1"


@dataclass(frozen=True)
class Proof:
    """Members for whom each effect is there exactly once, and lines in all."""

    members: int
    lines: int
    dead: int
    checked_in: int
    completed: int
    answers: int
    paid: int

    def is_whole(self, lines: int) -> bool:
        """Whether nothing was lost and nothing done twice, with so many updates a member."""
        once = {self.checked_in, self.completed, self.paid}
        return (
            self.dead == 0
            and once == {self.members}
            and (self.answers, self.lines)
            == (
                self.members * 3,
                self.members * lines,
            )
        )

    def __str__(self) -> str:
        return (
            f"of {self.members:,} members checked in once {self.checked_in:,}, survey once {self.completed:,}, "
            f"points right {self.paid:,}; answers {self.answers:,}, updates handled {self.lines:,}, dead {self.dead}"
        )


async def all_handled(database: asyncpg.Connection) -> None:
    """Wait until no update waits."""
    await until(lambda: database.fetchval(_LEFT), lambda left: left == 0)


async def lines_of(database: asyncpg.Connection, crowd: Crowd, wanted: int) -> int:
    """Wait until so many updates of the crowd are handled, and of all others those that came; how many there are."""

    async def lines() -> int:
        return int(await database.fetchval(_LINES_IN, crowd.first, crowd.last))

    await until(lines, lambda number: number >= wanted)
    await all_handled(database)
    return await lines()


async def prove(database: asyncpg.Connection, crowd: Crowd) -> Proof:
    """Wait until all is handled, and count."""
    await all_handled(database)
    these = (crowd.first, crowd.last)
    points = CHECK_IN_POINTS + SURVEY_POINTS
    # What a survey pays comes with the relay, a moment later.
    await until(lambda: database.fetchval("SELECT count(*) FROM event_handoffs"), lambda left: left == 0)
    return Proof(
        members=crowd.size,
        lines=await database.fetchval(_LINES_IN, *these),
        dead=await database.fetchval(_DEAD, crowd.bot_id),
        checked_in=await database.fetchval(_ONCE, *these, "checked_in"),
        completed=await database.fetchval(_ONCE, *these, "survey_completed"),
        answers=await database.fetchval(_ANSWERS, *these),
        paid=await database.fetchval(_POINTS, *these, points),
    )
