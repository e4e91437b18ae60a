"""Updates that always fail: five tries, a dead letter with its reason, everybody else goes on, and a replay."""

import asyncio

import httpx
import pytest

from flows.engine.buttons import start_data
from runtime.demo_data.dice import Dice
from tests.acceptance.waiting import until
from tests.acceptance.webhooks import tap_update, text_update
from tests.chaos.crowd import Crowd
from tests.chaos.inbound.post import publish_survey
from tests.chaos.inbound.proof import all_handled
from tests.chaos.inbound.scene import Scene
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

POISONED, OTHERS = (30, 60) if SIZES.is_full else (3, 5)
TRIES = 5
KEY = "poison"
_VERSION_OF = "WHERE survey_id = (SELECT id FROM surveys WHERE key = $1)"
_BREAK = f"UPDATE survey_versions SET definition = '{{\"questions\": 1}}' {_VERSION_OF}"
_MEND = f"UPDATE survey_versions SET definition = $2::jsonb {_VERSION_OF}"
_HASTEN = "UPDATE inbound_queue SET due_at = siyu_now() WHERE attempts > 0 AND due_at > siyu_now()"
_LETTERS = "SELECT attempts, reason FROM inbound_dead_letters WHERE bot_id = $1 AND replayed_at IS NULL"
_MADE = "SELECT count(*) FROM {} WHERE member_id BETWEEN $1 AND $2"


@pytest.mark.chaos_row(34)
async def test_poison_is_set_aside(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "poison update that always raises",
        done=f"{POISONED} members open a survey whose definition was damaged, then look at their points; {OTHERS} "
        "others check in; the definition is mended and the dead letters replayed",
        expected=f"{TRIES} tries, dead letter with the reason, all others go on; the replay takes effect once",
        factor="waits between tries cut",
    )
    await scene.estate.have("api", "worker")
    await publish_survey(scene.office, KEY)
    crowd, others = await scene.crowd("poisoned", POISONED), await scene.crowd("sane", OTHERS)
    good = await scene.database.fetchval(f"SELECT definition::text FROM survey_versions {_VERSION_OF}", KEY)
    await scene.database.execute(_BREAK, KEY)
    post, other_post = await scene.post(crowd, dice), await scene.post(others, dice)
    tap = start_data("survey", KEY)
    await asyncio.gather(
        post.all([[tap_update(chat, tap), text_update(chat, "/points")] for chat in crowd.chats]),
        other_post.all([[text_update(chat, "/checkin")] for chat in others.chats]),
    )
    letters = await until(lambda: _letters(scene, crowd), lambda found: len(found) == POISONED)
    await all_handled(scene.database)
    checked_in = await scene.database.fetchval(_MADE.format("check_ins"), others.first, others.last)
    await scene.database.execute(_MEND, KEY, good)
    replayed = await scene.office.post("dead-letters/updates/replay")
    await all_handled(scene.database)
    opened = await scene.database.fetchval(_MADE.format("survey_responses"), crowd.first, crowd.last)
    attempts, reasons = {letter[0] for letter in letters}, {letter[1] for letter in letters}
    row.saw(
        f"{len(letters)} dead letters after {sorted(attempts)} tries ({next(iter(reasons))}); {checked_in} of {OTHERS} "
        f"others checked in; {opened} surveys opened by the replay"
    )
    assert (attempts, checked_in, opened) == ({TRIES}, OTHERS, POISONED)
    assert replayed.status_code == httpx.codes.OK, replayed.text
    assert await _letters(scene, crowd) == []


async def _letters(scene: Scene, crowd: Crowd) -> list[tuple[int, str]]:
    """The dead letters so far; those that wait for their next try are made due."""
    await scene.database.execute(_HASTEN)
    return [(found["attempts"], found["reason"]) for found in await scene.database.fetch(_LETTERS, crowd.bot_id)]
