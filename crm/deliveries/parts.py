"""Messages that are too long for one: each further part is a delivery of its own, in the chunk of the first.

So each part has its own result: one whose fate is unknown neither holds back the others nor has them repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.calling import Call, room_in
from crm.deliveries.leases import Lease
from crm.deliveries.policy import MOST_PARTS, PART_STEPS, Candidate, part_of, part_step
from crm.deliveries.types import ContentRejected, MessageClass, Sent
from crm.messages.splitting import pieces
from crm.messages.types import ChannelTraits, Outbound

# The row of the chunk is locked, so that nobody who took the lease over makes them at the same time.
_MAKE = text("""
WITH held AS MATERIALIZED (
    SELECT id FROM delivery_chunks WHERE id = :chunk AND fence = :fence FOR NO KEY UPDATE
), made AS (
    INSERT INTO bulk_deliveries (broadcast_id, member_id, step, source_month, id, chunk_id)
    SELECT :broadcast, w.member_id, w.step, CAST(:month AS date), siyu_uuid7(siyu_now()), held.id
    FROM held CROSS JOIN unnest(CAST(:members AS bigint[]), CAST(:steps AS int[])) AS w(member_id, step)
    ON CONFLICT DO NOTHING RETURNING member_id, step, id
), grown AS (
    UPDATE delivery_chunks SET size = size + (SELECT count(*) FROM made) WHERE id IN (SELECT id FROM held)
)
SELECT member_id, step, id FROM made
""")


class Rendered(NamedTuple):
    """What one candidate's message came to: its parts, or why there are none."""

    candidate: Candidate
    parts: Sequence[Outbound | ContentRejected]


class Wanted(NamedTuple):
    """A message of several parts: whose it is, the step of its first part, how many there are."""

    member_id: int
    step: int
    number: int


async def make(session: AsyncSession, lease: Lease, wanted: Sequence[Wanted]) -> dict[tuple[int, int], UUID]:
    """Insert the further parts that are not there yet; answers the new ones by member and step."""
    keys = [(item.member_id, part_step(item.step, part)) for item in wanted for part in range(1, item.number)]
    values = {
        "chunk": lease.chunk_id,
        "fence": lease.fence,
        "broadcast": lease.broadcast_id,
        "month": lease.source_month,
        "members": [member_id for member_id, _ in keys],
        "steps": [step for _, step in keys],
    }
    return {(row.member_id, row.step): row.id for row in await session.execute(_MAKE, values)}


def of_message(
    message: Outbound, traits: ChannelTraits, message_class: MessageClass
) -> Sequence[Outbound | ContentRejected]:
    """The message as the channel takes it: one part, or several."""
    found = pieces(message, traits, room=room_in(message_class))
    if len(found) > MOST_PARTS:
        return [ContentRejected(f"the text is longer than {MOST_PARTS} messages")]
    return found


def in_order(asked: Sequence[Rendered], made: Mapping[tuple[int, int], UUID]) -> list[Call]:
    """A call per part, the parts of each message one after the other; `made` are the new deliveries."""
    found: list[tuple[tuple[int, int, int], Call]] = []
    for candidate, parts in asked:
        own = part_of(candidate.step)
        found.append(_placed(candidate, parts[own] if own < len(parts) else _rest(parts)))
        for part in range(1, len(parts)) if own == 0 else ():
            step = part_step(candidate.step, part)
            delivery_id = made.get((candidate.member_id, step))
            if delivery_id is not None:
                further = candidate._replace(delivery_id=delivery_id, step=step, tries=0, doubts=0)
                found.append(_placed(further, parts[part]))
    found.sort(key=lambda item: item[0])
    places = [place[:2] for place, _ in found]
    follows = [False, *(place == before for before, place in pairwise(places))]
    return [replace(call, is_further=is_further) for (_, call), is_further in zip(found, follows, strict=True)]


def _placed(candidate: Candidate, message: Outbound | ContentRejected | Sent) -> tuple[tuple[int, int, int], Call]:
    place = (candidate.member_id, candidate.step % PART_STEPS, part_of(candidate.step))
    return place, Call(candidate, message)


def _rest(parts: Sequence[Outbound | ContentRejected]) -> ContentRejected | Sent:
    """For a part that the message, rendered anew, does not have any more: all of it is said, unless it failed."""
    return parts[0] if isinstance(parts[0], ContentRejected) else Sent("")
