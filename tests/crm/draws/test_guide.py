"""The guide's own lines of Python recompute real draws."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws import fairness
from crm.draws.service import definitions, playing
from crm.draws.types import Draw, Play
from tests.factories.draws import make_draw, packets
from tests.factories.members import make_member

GUIDE = (Path(__file__).parents[3] / "docs/howto/provably-fair-draws.md").read_text("utf-8")
SEED = bytes(range(32))


@pytest.mark.parametrize("is_lucky", [True, False])
async def test_the_guide_recomputes(session: AsyncSession, is_lucky: bool) -> None:
    draw = await make_draw(session, None if is_lucky else packets(300, 12), free_per_day=2)
    for number in range(6):
        member = await make_member(session)
        for attempt in (1, 2):
            await playing.play(session, member.id, draw.id, key=f"k:{number}:{attempt}")
    closed = TypeAdapter(Draw).dump_python(await definitions.close(session, draw.id), mode="json")
    log = TypeAdapter(list[Play]).dump_python((await playing.log(session, draw.id)).items, mode="json")
    said = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert said is not None
    known: dict[str, Any] = {}
    exec(said[1], known)
    assert known["recompute"](closed, log) == []
    log[3]["outcome"] = {"drawn": 9, "prize": 9, "points": 999}
    assert known["recompute"](closed, log) == [4]


def test_the_example_is_right() -> None:
    assert SEED.hex() in GUIDE
    assert hashlib.sha256(SEED).hexdigest() in GUIDE
    for attempt in (1, 2, 3):
        drawn = fairness.digest(SEED, 7, 42, attempt)
        assert f"| {attempt} | `{drawn.hex()[:16]}` | {fairness.ticket(drawn):,} |" in GUIDE
