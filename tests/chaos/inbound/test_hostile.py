"""What nobody should send: hostile names, huge and broken updates, forged secrets."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.channels.telegram.setup import WEBHOOK_PATH
from bot.channels.telegram.webhook import LARGEST_BODY, SECRET_HEADER
from crm.kit.text import MAX_TEXT_BYTES
from runtime.demo_data.dice import Dice
from tests.acceptance.webhooks import Door, text_update
from tests.chaos.crowd import Crowd
from tests.chaos.inbound.post import door_of
from tests.chaos.inbound.proof import all_handled
from tests.chaos.inbound.scene import Scene
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

COPIES = 60 if SIZES.is_full else 6
MOST_GROWTH = 50 * 1024
NAMES = (
    "👨‍👩‍👧‍👦" * 20,
    "\u202egnp.exe\u202c",
    "a\u200bb\ufeffc",
    "nul\x00inside",
    "x" * 10_000,
    "half \ud83d surrogate",
    "<b>bold</b>",
    '"><script>alert(1)</script>',
    "{{7*7}}",
    "{% for x in y %}",
    "=1+1",
    "@SUM(A1)",
    "'; DROP TABLE members; --",
    "  ",
    "\n\r\t",
)


def _named(chat: int, name: str) -> dict[str, Any]:
    update = text_update(chat, name)
    update["message"]["from"]["first_name"] = name
    update["message"]["chat"]["first_name"] = name
    return update


@pytest.mark.chaos_row(35)
async def test_hostile_names(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "names: emoji families, RTL, zero-width, NUL, 10k characters, half surrogates, markup, formulas",
        done=f"{len(NAMES)} names, each as name and as text, then lists, details and transcripts over the API",
        expected="all handled, shown literally and clean, 0 answers of 500",
    )
    await scene.estate.have("api", "worker")
    crowd = await scene.crowd("names", len(NAMES))
    post = await scene.post(crowd, dice)
    async with httpx.AsyncClient() as client:
        for chat, name in zip(crowd.chats, NAMES, strict=True):
            for update in (_named(chat, name), _named(chat, "/points")):
                content = json.dumps(update).encode()
                answer = await client.post(
                    scene.estate.base_url + post.door.path, content=content, headers={SECRET_HEADER: post.door.secret}
                )
                assert answer.status_code == 200, name[:40]
    await all_handled(scene.database)
    dead = await scene.database.fetchval("SELECT count(*) FROM inbound_dead_letters WHERE bot_id = $1", crowd.bot_id)
    pages = [f"members/{chat}{what}" for chat in crowd.chats for what in ("", "/timeline", "/conversation")]
    answers = {page: await scene.office.get(page) for page in (*pages, "members?limit=100")}
    failed = {page: answer.status_code for page, answer in answers.items() if answer.status_code != 200}
    unclean = [page for page, answer in answers.items() if "\\u0000" in answer.text or "\x00" in answer.text]
    transcript = answers[f"members/{crowd.first + NAMES.index('<b>bold</b>')}/conversation"].text
    row.saw(f"dead {dead}; {len(answers)} pages read, failed {failed or 0}, unclean {unclean or 0}")
    assert (dead, failed, unclean) == (0, {}, [])
    assert "<b>bold</b>" in transcript


def _sent(door: Door, crowd: Crowd) -> dict[str, tuple[bytes, str | bytes | None, str, int]]:
    """What is sent by name: body, secret (None is the right one), path, and the status that must come."""
    nested = b'{"update_id": 77, "message": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
    good = json.dumps(text_update(crowd.first, "/points")).encode()
    return {
        "5 MB update": (b'{"update_id": 5, "x": "' + b"y" * 5 * LARGEST_BODY + b'"}', None, door.path, 413),
        "nested 50,000 deep": (nested, None, door.path, 200),
        "no JSON": (b"tea, please", None, door.path, 200),
        "forged secret": (good, "forged", door.path, 401),
        "non-ASCII secret": (good, "钥匙".encode(), door.path, 401),
        "no secret": (good, "", door.path, 401),
        "unknown bot": (good, None, f"{WEBHOOK_PATH}/nobody-knows-this-one", 404),
    }


@pytest.mark.chaos_row(36)
async def test_huge_and_broken_updates(scene: Scene, row: Row) -> None:
    row.plan(
        "1 MB text, 5 MB update, nested JSON, no JSON, forged secret, unknown bot",
        done=f"each {COPIES} times",
        expected="413 above 1 MB, 401, 404; authentic: 200 and one dead letter; text cut at 16 KB; < +50 MB",
    )
    await scene.estate.have("api", "worker")
    crowd = await scene.crowd("huge", 1)
    door = await door_of(scene.sessions, crowd.bot_id)
    sent = _sent(door, crowd)
    long_text = text_update(crowd.first, "语" * (900_000 // 3))
    before = _memory(scene)
    seen: dict[str, set[int]] = {name: set() for name in sent}
    async with httpx.AsyncClient(base_url=scene.estate.base_url, timeout=120) as client:
        for _ in range(COPIES):
            for name, (body, secret, path, _status) in sent.items():
                headers = {SECRET_HEADER.encode(): _bytes(door.secret if secret is None else secret)}
                seen[name].add((await client.post(path, content=body, headers=headers)).status_code)
            await door.deliver(client, long_text)
    await all_handled(scene.database)
    grown = _memory(scene) - before
    dead = await scene.database.fetchval("SELECT count(*) FROM inbound_dead_letters WHERE bot_id = $1", crowd.bot_id)
    stored = await scene.database.fetchval("SELECT count(*) FROM inbound_keys WHERE bot_id = $1", crowd.bot_id)
    cut = await _cut(scene, crowd)
    answered = ", ".join(f"{name} {sorted(found)}" for name, found in seen.items())
    row.saw(f"{answered}; stored {stored}, dead {dead}; {grown // 1024:+} MB; cut {cut}")
    assert seen == {name: {status} for name, (*_, status) in sent.items()}
    assert (stored, dead) == (3, 2)
    assert grown < MOST_GROWTH
    assert cut == (True, True)
    assert not _secrets_said(scene, door, crowd)


def _bytes(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else secret


def _memory(scene: Scene) -> int:
    """Kilobytes that the api process holds."""
    status = Path(f"/proc/{scene.estate.running['api'].process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


async def _cut(scene: Scene, crowd: Crowd) -> tuple[bool, bool]:
    """Whether the long text is marked as cut, and not longer than it may be."""
    found = (await scene.office.get(f"members/{crowd.first}/conversation")).json()["items"]
    [line] = [item for item in found if item["direction"] == "in"]
    return bool(line["is_cut"]), len(line["text"].encode()) <= MAX_TEXT_BYTES


def _secrets_said(scene: Scene, door: Door, crowd: Crowd) -> list[str]:
    said = scene.estate.said()
    secrets = (door.secret, door.path.rpartition("/")[2], str(crowd.provider_bot["token"]).partition(":")[2], "语语语")
    return [secret[:4] for secret in secrets if secret in said]
