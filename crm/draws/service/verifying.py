"""Verification: results recomputed from the revealed seed, a member's own or all of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws import fairness, repository
from crm.draws.errors import SeedSealed
from crm.draws.models import PlayRow
from crm.draws.types import CheckedPlay, Draw, DrawKind, MemberProof, Outcome, Play, Rules, Stand, Verification
from crm.members import service as members

_MOST_SHOWN, _MOST_WRONG, _AT_ONCE = 20, 100, 2000
_LOGGED = select(PlayRow.position, PlayRow.number, PlayRow.attempt, PlayRow.drawn, PlayRow.prize, PlayRow.points)


async def of_member(session: AsyncSession, member_id: int, draw_id: int) -> MemberProof:
    """The member's last 20 plays; once the seed is revealed, each recomputed with what the log says before it.

    Raises DrawNotFound.
    """
    member_id = await members.current_id(session, member_id)
    draw = await repository.draw(session, draw_id)
    query = repository.PLAYS.where(PlayRow.draw_id == draw_id, PlayRow.member_id == member_id)
    rows = (await session.execute(query.order_by(PlayRow.position.desc()).limit(_MOST_SHOWN))).all()
    plays = [repository.as_play(row) for row in reversed(rows)]
    rules_fit = fairness.rules_fit(draw.rules, draw.rules_hash)
    if draw.seed is None:
        return MemberProof(draw, member_id, None, rules_fit, plays, [])
    seed = bytes.fromhex(draw.seed)
    checked = [await _checked(session, draw, seed, play) for play in plays]
    return MemberProof(draw, member_id, fairness.commitment(seed) == draw.commitment, rules_fit, plays, checked)


async def of_draw(session: AsyncSession, draw_id: int) -> Verification:
    """Walk the whole log of a closed draw in its order: no position and no attempt may be missing.

    Raises DrawNotFound, SeedSealed.
    """
    draw = await repository.draw(session, draw_id)
    if draw.seed is None:
        raise SeedSealed
    seed = bytes.fromhex(draw.seed)
    stand, seen, wrong, attempts = fairness.start(draw.rules), 0, list[int](), dict[int, int]()
    while True:
        query = _LOGGED.where(PlayRow.draw_id == draw_id, PlayRow.position > seen).order_by(PlayRow.position)
        lines = (await session.execute(query.limit(_AT_ONCE))).all()
        if not lines:
            break
        stand, found = await asyncio.to_thread(_walk, draw, seed, stand, attempts, lines)
        wrong += found
        seen = lines[-1].position
    if seen != draw.plays:
        wrong.append(seen + 1)
    seed_fits = fairness.commitment(seed) == draw.commitment
    rules_fit = fairness.rules_fit(draw.rules, draw.rules_hash)
    return Verification(draw.plays, seed_fits, rules_fit, wrong[:_MOST_WRONG])


def _walk(
    draw: Draw, seed: bytes, stand: Stand, attempts: dict[int, int], lines: Sequence[Any]
) -> tuple[Stand, list[int]]:
    """What is left after these lines, and which of them do not follow; counts on in `attempts`."""
    wrong = []
    place = sum(attempts.values())
    for line in lines:
        place += 1
        attempts[line.number] = attempts.get(line.number, 0) + 1
        if draw.rules.kind is DrawKind.PACKETS and stand.packets == 0:
            wrong.append(line.position)
            continue
        drawn = fairness.digest(seed, draw.id, line.number, line.attempt)
        expected, stand = fairness.step(draw.rules, stand, drawn)
        in_order = (line.position, line.attempt) == (place, attempts[line.number])
        if not in_order or expected != Outcome(line.drawn, line.prize, line.points):
            wrong.append(line.position)
    return stand, wrong


async def _checked(session: AsyncSession, draw: Draw, seed: bytes, play: Play) -> CheckedPlay:
    drawn = fairness.digest(seed, draw.id, play.number, play.attempt)
    stand = await _before(session, draw.rules, play)
    expected, _ = fairness.step(draw.rules, stand, drawn)
    return CheckedPlay(
        position=play.position,
        number=play.number,
        attempt=play.attempt,
        digest=drawn.hex(),
        ticket=fairness.ticket(drawn),
        recorded=play.outcome,
        expected=expected,
    )


async def _before(session: AsyncSession, rules: Rules, play: Play) -> Stand:
    """What was left when this play had its turn, as the log before it says."""
    earlier = (PlayRow.draw_id == play.draw_id, PlayRow.position < play.position)
    if rules.kind is DrawKind.PACKETS:
        taken = await session.scalar(select(func.coalesce(func.sum(PlayRow.points), 0)).where(*earlier))
        return Stand((), rules.points - int(taken or 0), rules.packets - play.position + 1)
    counted: Any = select(PlayRow.prize, func.count()).where(*earlier).group_by(PlayRow.prize)
    given = {row[0]: row[1] for row in await session.execute(counted)}
    left = [
        None if prize.stock is None else max(0, prize.stock - given.get(index, 0))
        for index, prize in enumerate(rules.prizes)
    ]
    return Stand(tuple(left))
