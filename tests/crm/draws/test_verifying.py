"""Verification: what was drawn follows from the seed, and what does not is found."""

import hashlib
import hmac
import json
from collections.abc import Iterable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws.errors import SeedSealed
from crm.draws.service import definitions, playing, verifying
from crm.draws.types import Draw, Play
from tests.factories.draws import make_draw, packets
from tests.factories.members import make_member


async def _played(session: AsyncSession, draw: Draw, many: int) -> list[int]:
    members = [(await make_member(session)).id for _ in range(many)]
    for member_id in members:
        for attempt in (1, 2):
            await playing.play(session, member_id, draw.id, key=f"{draw.id}:{member_id}:{attempt}")
    return members


def _recomputed(draw: Draw, log: Iterable[Play]) -> list[int | None]:
    """As the guide tells it, with nothing of ours."""
    assert draw.seed is not None
    seed, rules = bytes.fromhex(draw.seed), json.loads(draw.rules_text)
    assert hashlib.sha256(seed).hexdigest() == draw.commitment
    assert hashlib.sha256(draw.rules_text.encode()).hexdigest() == draw.rules_hash
    stock, found = [prize["stock"] for prize in rules["prizes"]], list[int | None]()
    for play in log:
        digest = hmac.new(seed, f"{draw.id}:{play.number}:{play.attempt}".encode(), hashlib.sha256).digest()
        ticket = int.from_bytes(digest[:8], "big") * 1_000_000 // 2**64
        prize, bound = 0, rules["prizes"][0]["odds"]
        while prize < len(stock) - 1 and ticket >= bound:
            prize += 1
            bound += rules["prizes"][prize]["odds"]
        if stock[prize] == 0:
            prize = len(stock) - 1
        if stock[prize] is not None:
            stock[prize] -= 1
        found.append(prize)
    return found


async def test_anybody_can_recompute_a_closed_draw(session: AsyncSession) -> None:
    draw = await make_draw(session, free_per_day=2)
    await _played(session, draw, 20)
    closed = await definitions.close(session, draw.id)
    log = (await playing.log(session, draw.id)).items
    assert _recomputed(closed, log) == [play.outcome.prize for play in log]
    assert (await verifying.of_draw(session, draw.id)).is_right
    assert await definitions.close(session, draw.id) == closed


@pytest.mark.parametrize("is_lucky", [True, False])
async def test_members_recompute_their_own(session: AsyncSession, is_lucky: bool) -> None:
    draw = await make_draw(session, None if is_lucky else packets(500, 30), free_per_day=2)
    members = await _played(session, draw, 10)
    before = await verifying.of_member(session, members[3], draw.id)
    assert (before.seed_fits, before.rules_fit, len(before.plays), before.checked) == (None, True, 2, [])
    with pytest.raises(SeedSealed):
        await verifying.of_draw(session, draw.id)
    await definitions.close(session, draw.id)
    for member_id in members:
        proof = await verifying.of_member(session, member_id, draw.id)
        assert proof.seed_fits
        assert [check.is_right for check in proof.checked] == [True, True]
    assert (await verifying.of_draw(session, draw.id)).is_right


async def test_what_was_tampered_with_is_found(session: AsyncSession) -> None:
    draw = await make_draw(session, packets(500, 30), free_per_day=2)
    members = await _played(session, draw, 3)
    await definitions.close(session, draw.id)
    await session.execute(text("ALTER TABLE draw_plays DISABLE TRIGGER draw_plays_log"))
    await session.execute(text("UPDATE draw_plays SET points = points + 1 WHERE position = 4"))
    found = await verifying.of_draw(session, draw.id)
    assert (found.is_right, found.wrong) == (False, [4])
    proof = await verifying.of_member(session, members[1], draw.id)
    assert [check.is_right for check in proof.checked] == [True, False]
    await session.execute(text("DELETE FROM draw_plays WHERE position = 2"))
    assert 3 in (await verifying.of_draw(session, draw.id)).wrong
    await session.execute(text("ALTER TABLE draw_plays ENABLE TRIGGER draw_plays_log"))
    await session.execute(text("ALTER TABLE draws DISABLE TRIGGER draws_fixed"))
    await session.execute(text("UPDATE draws SET commitment = repeat('0', 64)"))
    assert not (await verifying.of_draw(session, draw.id)).seed_fits
