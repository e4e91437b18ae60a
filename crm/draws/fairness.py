"""The arithmetic of provably fair draws: pure, small, and the same as docs/howto/provably-fair-draws.md tells it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from crm.draws.types import DrawKind, Outcome, Prize, PrizeKind, Rules, Stand

MILLION = 1_000_000
SEED_BYTES = 32
_TAKEN, _BITS = 8, 64


def commitment(seed: bytes) -> str:
    """SHA-256 of the seed in hex: what is published while the seed is not."""
    return hashlib.sha256(seed).hexdigest()


def digest(seed: bytes, draw_id: int, number: int, attempt: int) -> bytes:
    """HMAC-SHA256 under the seed of `draw:number:attempt` in ASCII (RFC 2104)."""
    return hmac.new(seed, f"{draw_id}:{number}:{attempt}".encode("ascii"), hashlib.sha256).digest()


def share(drawn: bytes, parts: int) -> int:
    """The digest's first 8 bytes, as a fraction of 2**64, in `parts` equal parts: 0 to `parts` - 1."""
    return int.from_bytes(drawn[:_TAKEN], "big") * parts >> _BITS


def ticket(drawn: bytes) -> int:
    """0 to 999,999."""
    return share(drawn, MILLION)


def start(rules: Rules) -> Stand:
    """What there is before the first play."""
    return Stand(tuple(prize.stock for prize in rules.prizes), rules.points, rules.packets)


def step(rules: Rules, stand: Stand, drawn: bytes) -> tuple[Outcome, Stand]:
    """What a play gives, and what is left after it. Red packets need at least one packet left."""
    return _packet(stand, drawn) if rules.kind is DrawKind.PACKETS else _prize(rules, stand, drawn)


def walk(rules: Rules, digests: Iterable[bytes]) -> Iterator[Outcome]:
    """Every outcome in the order of the log."""
    stand = start(rules)
    for drawn in digests:
        outcome, stand = step(rules, stand, drawn)
        yield outcome


def prize_of(rules: Rules, number: int) -> int:
    """Whose stretch of the million holds the ticket; what the odds leave is the last prize's."""
    bound = 0
    for index, prize in enumerate(rules.prizes[:-1]):
        bound += prize.odds
        if number < bound:
            return index
    return len(rules.prizes) - 1


def _prize(rules: Rules, stand: Stand, drawn: bytes) -> tuple[Outcome, Stand]:
    wanted = prize_of(rules, ticket(drawn))
    given = len(rules.prizes) - 1 if stand.left[wanted] == 0 else wanted
    left = tuple(
        amount - 1 if index == given and amount is not None else amount for index, amount in enumerate(stand.left)
    )
    return Outcome(wanted, given, rules.prizes[given].points), replace(stand, left=left)


def _packet(stand: Stand, drawn: bytes) -> tuple[Outcome, Stand]:
    """From 1 up to just under twice the average of what is left, so that each that follows has at least 1."""
    points, packets = stand.points, stand.packets
    most = max(1, min(2 * points // packets - 1, points - packets + 1))
    taken = points if packets == 1 else 1 + share(drawn, most)
    return Outcome(None, None, taken), Stand((), points - taken, packets - 1)


def as_json(rules: Rules) -> dict[str, Any]:
    """The rules as they are kept and published."""
    if rules.kind is DrawKind.PACKETS:
        return {"kind": rules.kind.value, "points": rules.points, "packets": rules.packets}
    return {"kind": rules.kind.value, "prizes": [{**vars(prize), "kind": prize.kind.value} for prize in rules.prizes]}


def from_json(kept: dict[str, Any]) -> Rules:
    """The way back."""
    prizes = tuple(Prize(**{**prize, "kind": PrizeKind(prize["kind"])}) for prize in kept.get("prizes", []))
    return Rules(DrawKind(kept["kind"]), prizes, kept.get("points", 0), kept.get("packets", 0))


def rules_text(rules: Rules) -> str:
    """The rules as the text whose hash is published: JSON with sorted keys and no spaces."""
    return json.dumps(as_json(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def rules_hash(rules: Rules) -> str:
    """SHA-256 of that text, in hex."""
    return hashlib.sha256(rules_text(rules).encode()).hexdigest()


def rules_fit(rules: Rules, published: str | None) -> bool:
    """Whether the published hash is that of these rules."""
    return published is not None and hmac.compare_digest(rules_hash(rules), published)
