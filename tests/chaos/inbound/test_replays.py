"""Updates that come again in another order and at other processes, and many taps at once."""

import asyncio
from typing import Any

import httpx
import pytest

from flows.engine.buttons import start_data
from runtime.demo_data.dice import Dice
from tests.acceptance.webhooks import tap_update
from tests.chaos.inbound.post import Post, morning, publish_survey
from tests.chaos.inbound.proof import lines_of, prove
from tests.chaos.inbound.scene import Scene
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

PAIRS, ROUNDS = (100, 10) if SIZES.is_full else (6, 1)
COPIES, EACH, TAPS = 3, 7, 100
APIS = ("api", "api#2", "api#3") if SIZES.is_full else ("api", "api#2")
_STATE = {
    "events": "SELECT kind FROM events WHERE member_id = $1 ORDER BY occurred_at, id",
    "ledger": "SELECT account, amount FROM ledger_entries WHERE member_id = $1 ORDER BY sequence",
    "lines": """SELECT m.direction, m.kind FROM conversation_messages m JOIN identities i ON i.id = m.identity_id
                WHERE i.member_id = $1 ORDER BY m.at, m.id""",
    "conversation": """SELECT c.version, c.runs_started, c.runs::text FROM conversations c
                       JOIN identities i ON i.id = c.identity_id WHERE i.member_id = $1""",
}


@pytest.mark.chaos_row(20)
async def test_each_update_thrice_in_any_order(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "each update 3 times, shuffled, across processes",
        done=f"mornings of {PAIRS} members at {len(APIS)} api processes, beside {PAIRS} others whose updates came once",
        expected="the same state as the single run in order",
    )
    await scene.estate.have(*APIS, "worker")
    await publish_survey(scene.office)
    once, thrice = await scene.crowd("once", PAIRS), await scene.crowd("thrice", PAIRS)
    await (await scene.post(once, dice)).all([morning(chat) for chat in once.chats], copies=1)
    post = await scene.post(thrice, dice)
    await post.all([morning(chat) for chat in thrice.chats], copies=COPIES)
    proofs = [await prove(scene.database, crowd) for crowd in (once, thrice)]
    pairs = zip(once.chats, thrice.chats, strict=True)
    different = [pair for pair in pairs if await _state(scene, pair[0]) != await _state(scene, pair[1])]
    row.saw(f"{post}; {proofs[1]}; {len(different)} of {PAIRS} states differ")
    assert all(proof.is_whole(EACH) for proof in proofs)
    assert post.acknowledged == PAIRS * EACH * COPIES
    assert different == []


async def _state(scene: Scene, member_id: int) -> dict[str, list[Any]]:
    return {
        name: [tuple(found) for found in await scene.database.fetch(query, member_id)] for name, query in _STATE.items()
    }


@pytest.mark.chaos_row(22)
async def test_many_taps_at_once(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        f"100 parallel check-ins, {len(APIS) + 1} processes",
        done=f"{TAPS} taps of one member at once, by {len(APIS)} api processes and the poller, {ROUNDS} times",
        expected=f"1 award, {TAPS - 1} 'already checked in'",
    )
    await scene.estate.have(*APIS, "poller")
    crowd = await scene.crowd("taps", ROUNDS)
    post = await scene.post(crowd, dice)
    for chat in crowd.chats:
        await scene.telegram.person(chat)
        await _tap(scene, post, f"@{crowd.provider_bot['username']}", chat)
    await lines_of(scene.database, crowd, ROUNDS * TAPS)
    answers = [await _answers(scene, chat) for chat in crowd.chats]
    awards = await scene.database.fetchval(
        "SELECT count(*) FROM check_ins WHERE member_id BETWEEN $1 AND $2", crowd.first, crowd.last
    )
    p95 = post.percentile(0.95)
    row.saw(f"{awards} awards in {ROUNDS} rounds; answers {answers[0]}; acknowledged within {p95:.0f} ms (p95)")
    assert awards == ROUNDS
    assert set(answers) == {(1, TAPS - 1)}


async def _tap(scene: Scene, post: Post, bot: str, chat: int) -> None:
    """Three quarters are pushed to the api processes, the others wait for the poller."""
    data = start_data("check_in")
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=TAPS)) as client:
        pushed = [post.deliver(client, tap_update(chat, data)) for _ in range(TAPS * 3 // 4)]
        pulled = [scene.telegram.client.send_text(chat, bot, "/checkin") for _ in range(TAPS // 4)]
        await asyncio.gather(*pushed, *pulled)


async def _answers(scene: Scene, member_id: int) -> tuple[int, int]:
    """How often the bot said that it counts, and that it counted already; some are still on their way to the chat."""
    query = {"limit": TAPS * 2}
    said = (await scene.office.get(f"members/{member_id}/conversation", params=query)).json()["items"]
    told = [line["text"] for line in said if line["direction"] == "out" and "hecked in" in line["text"]]
    again = len([text for text in told if "already checked in" in text])
    return len(told) - again, again
