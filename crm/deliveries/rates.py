"""Pacing: one slot every 1/rate seconds per bot and lane, and a gap per chat, shared by all processes in Valkey.

Slots are reserved in blocks, so that a sender asks once per group. When Valkey is away, each process keeps to a share
of the rate that is safe for as many processes as are known to send.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from crm.deliveries.types import Lane
from crm.kit.clock import monotonic

log = structlog.get_logger(__name__)

INTERACTIVE_RATE = 30.0
_INTERACTIVE_BURST = 10
_CHAT_GAP = 1.0
_CHAT_BURST = 3
_GROUP_CHAT_GAP = 60 / 18
"""Seconds between messages to a group chat, 18 a minute."""
UNKNOWN_PEERS = 4
_RETRY_VALKEY = 1.0
_KNOWN_CHATS = 10_000

# Theoretical arrival times (GCRA) in milliseconds of the server's clock. A bot that was told to slow down starts at
# half its rate and regains one message a second each quiet minute.
_RESERVE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local slow = redis.call('HMGET', KEYS[2], 'rate', 'at')
if slow[1] and ARGV[4] == '1' then rate = math.min(rate, slow[1] + (now - slow[2]) / 60000) end
local step = 1000 / rate
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local waits = {}
for i = 3, #KEYS do
    local at = math.max(now, tat - (burst - 1) * step)
    tat = tat + step
    local gap = tonumber(ARGV[i + 2])
    local chat = math.max(tonumber(redis.call('GET', KEYS[i]) or at), at)
    at = math.max(at, chat - (tonumber(ARGV[3]) - 1) * gap)
    chat = chat + gap
    redis.call('SET', KEYS[i], string.format('%.3f', chat), 'PX', math.ceil(chat - now) + 1000)
    waits[#waits + 1] = math.floor(at - now + 0.5)
end
redis.call('SET', KEYS[1], string.format('%.3f', tat), 'PX', math.ceil(tat - now) + 1000)
return waits
"""
_SLOW_DOWN = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local slow = redis.call('HMGET', KEYS[1], 'rate', 'at')
local rate = tonumber(ARGV[1])
if slow[1] then rate = math.min(rate, slow[1] + (now - slow[2]) / 60000) end
redis.call('HSET', KEYS[1], 'rate', math.max(1, rate / 2), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], 3600000)
"""


class Pacer(Protocol):
    """Says how long to wait before each of some messages."""

    async def reserve(self, bot_id: int, lane: Lane, rate: float, addresses: Sequence[str]) -> list[float]:
        """Seconds from now at which the message to each address may go; the slots are taken."""
        ...

    async def slow_down(self, bot_id: int, rate: float) -> None:
        """The provider said "too many": halve the bot's bulk rate and let it recover slowly."""
        ...


class Unpaced:
    """No waiting at all: for measuring and for tests."""

    async def reserve(self, bot_id: int, lane: Lane, rate: float, addresses: Sequence[str]) -> list[float]:
        """Now, all of them."""
        del bot_id, lane, rate
        return [0.0] * len(addresses)

    async def slow_down(self, bot_id: int, rate: float) -> None:
        """Nothing to slow down."""
        del bot_id, rate


def chat_gap(address: str) -> float:
    """Seconds between two messages to one chat; addresses of groups are negative numbers where channels have groups."""
    return _GROUP_CHAT_GAP if address.startswith("-") else _CHAT_GAP


@dataclass(frozen=True)
class _Limits:
    rate: float
    burst: int
    chat_burst: int
    may_slow: bool


def _limits(lane: Lane, rate: float) -> _Limits:
    if lane is Lane.BULK:
        return _Limits(rate, 1, 1, may_slow=True)
    return _Limits(INTERACTIVE_RATE, _INTERACTIVE_BURST, _CHAT_BURST, may_slow=False)


class LocalPacer:
    """The same arithmetic in the memory of one process, over its share of the rate."""

    def __init__(self, peers: int = UNKNOWN_PEERS) -> None:
        self.peers = peers
        self._slots: dict[tuple[int, Lane], float] = {}
        self._slow: dict[int, tuple[float, float]] = {}
        self._chats: OrderedDict[tuple[int, str], float] = OrderedDict()

    async def reserve(self, bot_id: int, lane: Lane, rate: float, addresses: Sequence[str]) -> list[float]:
        """See `Pacer.reserve`."""
        limits, now = _limits(lane, rate), monotonic()
        allowed = self._slowed(bot_id, limits.rate, now) if limits.may_slow else limits.rate
        step = max(1, self.peers) / allowed
        slot = max(self._slots.get((bot_id, lane), now), now)
        waits = []
        for address in addresses:
            at = max(now, slot - (limits.burst - 1) * step)
            slot += step
            waits.append(self._after_chat(bot_id, address, at, limits.chat_burst) - now)
        self._slots[bot_id, lane] = slot
        return waits

    async def slow_down(self, bot_id: int, rate: float) -> None:
        """See `Pacer.slow_down`."""
        now = monotonic()
        self._slow[bot_id] = (max(1.0, self._slowed(bot_id, rate, now) / 2), now)

    def _slowed(self, bot_id: int, rate: float, now: float) -> float:
        slow, since = self._slow.get(bot_id, (rate, now))
        return min(rate, slow + (now - since) / 60)

    def _after_chat(self, bot_id: int, address: str, at: float, burst: int) -> float:
        gap = chat_gap(address)
        chat = max(self._chats.pop((bot_id, address), at), at)
        self._chats[bot_id, address] = chat + gap
        while len(self._chats) > _KNOWN_CHATS:
            self._chats.popitem(last=False)
        return max(at, chat - (burst - 1) * gap)


class ValkeyPacer:
    """The buckets of all processes together; falls back to a local share while Valkey cannot be reached."""

    def __init__(self, valkey: Redis, local: LocalPacer | None = None) -> None:
        self._reserve: Any = valkey.register_script(_RESERVE)
        self._slow_down: Any = valkey.register_script(_SLOW_DOWN)
        self._away_until = 0.0
        self.local = local or LocalPacer()

    async def reserve(self, bot_id: int, lane: Lane, rate: float, addresses: Sequence[str]) -> list[float]:
        """See `Pacer.reserve`."""
        if not addresses:
            return []
        limits = _limits(lane, rate)
        prefix = f"siyu:rate:{{{bot_id}}}:"
        keys = [f"{prefix}{lane}", f"{prefix}slow", *(f"{prefix}chat:{address}" for address in addresses)]
        head = [limits.rate, limits.burst, limits.chat_burst, 1 if limits.may_slow else 0]
        waits = await self._ask(self._reserve, keys, [*head, *(chat_gap(address) * 1000 for address in addresses)])
        if waits is None:
            return await self.local.reserve(bot_id, lane, rate, addresses)
        return [wait / 1000 for wait in waits]

    async def slow_down(self, bot_id: int, rate: float) -> None:
        """See `Pacer.slow_down`."""
        await self._ask(self._slow_down, [f"siyu:rate:{{{bot_id}}}:slow"], [rate])
        await self.local.slow_down(bot_id, rate)

    async def _ask(self, script: Any, keys: list[str], arguments: list[float]) -> Any:
        if monotonic() < self._away_until:
            return None
        try:
            return await script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = monotonic() + _RETRY_VALKEY
            log.warning("valkey_away", error=type(error).__name__)
            return None
