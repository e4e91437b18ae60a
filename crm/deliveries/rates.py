"""Pacing: one slot every 1/rate seconds per bot and lane, and a gap per chat, shared by all processes in Valkey.

Slots are reserved in blocks, so that a sender asks once per group. When Valkey is away, each process keeps to a share
of the rate that is safe for as many processes as are known to send.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from crm.deliveries.policy import Candidate
from crm.deliveries.spacing import Spacing
from crm.deliveries.types import Lane
from crm.kit.clock import monotonic
from crm.messages.types import ChannelTraits

log = structlog.get_logger(__name__)

_INTERACTIVE_BURST = 10
_CHAT_BURST = 3
_LONG_WEIGHT = 1.5
"""How many messages a long one counts for; providers stop senders of long texts earlier and do not say when."""
UNKNOWN_PEERS = 4
USUAL_RATE = 25.0
_RETRY_VALKEY = 1.0
_KNOWN_CHATS = 10_000

# Theoretical arrival times (GCRA) in milliseconds of the server's clock. A bot that was told to slow down starts at
# half its rate and regains one message a second each quiet minute.
_RESERVE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local slow = redis.call('HMGET', KEYS[2], 'rate', 'at')
if slow[1] and tonumber(ARGV[4]) == 1 then rate = math.min(rate, slow[1] + (now - slow[2]) / 60000) end
local step = 1000 / rate
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local waits = {}
for i = 3, #KEYS do
    local at = math.max(now, tat - (burst - 1) * step)
    tat = tat + step * tonumber(ARGV[2 * i])
    local gap = tonumber(ARGV[2 * i - 1])
    if gap > 0 then
        local chat = math.max(tonumber(redis.call('GET', KEYS[i]) or at), at)
        at = math.max(at, chat - (tonumber(ARGV[3]) - 1) * gap)
        chat = chat + gap
        redis.call('SET', KEYS[i], string.format('%.3f', chat), 'PX', math.ceil(chat - now) + 1000)
    end
    waits[#waits + 1] = math.floor(at - now + 0.5)
end
redis.call('SET', KEYS[1], string.format('%.3f', tat), 'PX', math.ceil(tat - now) + 1000)
return waits
"""
# Kept until the full rate is reached again.
_SLOW_DOWN = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local slow = redis.call('HMGET', KEYS[1], 'rate', 'at')
local full = tonumber(ARGV[1])
local rate = full
if slow[1] then rate = math.min(rate, slow[1] + (now - slow[2]) / 60000) end
rate = math.max(1, rate / 2)
redis.call('HSET', KEYS[1], 'rate', rate, 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((full - rate + 1) * 60000))
redis.call('DEL', KEYS[2])
"""
# Slots that were reserved ahead will not be used: everybody rests, and then begins anew.


_STATE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local rate = tonumber(ARGV[1])
local slow = redis.call('HMGET', KEYS[2], 'rate', 'at')
if slow[1] then rate = math.min(rate, slow[1] + (now - slow[2]) / 60000) end
return {string.format('%.3f', rate), string.format('%.0f', tonumber(redis.call('GET', KEYS[1]) or now) - now)}
"""


class LimiterState(NamedTuple):
    """Where a bucket stands."""

    rate: float
    """Messages a second that it lets through now."""
    ahead: float
    """Seconds for which slots are reserved already."""


class Slot(NamedTuple):
    """What one message asks of the buckets."""

    address: str
    gap: float = 1.0
    """Seconds to the next message to the same chat; 0 for none."""
    weight: float = 1.0
    """How many messages it counts for."""


def slot_for(traits: ChannelTraits, address: str, length: int) -> Slot:
    """What a message of `length` characters to this address asks for on its channel."""
    gap = traits.group_gap if address.startswith("-") else traits.chat_gap
    is_long = traits.long_text is not None and length > traits.long_text
    return Slot(address, gap, _LONG_WEIGHT if is_long else 1.0)


def rate_of(candidate: Candidate, traits: ChannelTraits, lane: Lane) -> float:
    """Messages a second that the candidate's bot may send in this lane."""
    if lane is Lane.PAID and traits.paid_rate > 0:
        return traits.paid_rate
    return candidate.bulk_rate or USUAL_RATE


class Pacer(Protocol):
    """Says how long to wait before each of some messages."""

    async def reserve(self, bot_id: int, lane: Lane, rate: float, slots: Sequence[Slot]) -> list[float]:
        """Seconds from now at which each message may go at `rate` a second; the slots are taken."""
        ...

    def leave(self, bot_id: int, lane: Lane, rate: float) -> float:
        """Asked when a slot is reached: 0 when the message leaves now, else after how many seconds to ask again."""
        ...

    async def slow_down(self, bot_id: int, rate: float, lane: Lane = Lane.BULK) -> None:
        """The provider said "too many": halve the bot's rate in this lane and let it recover slowly.

        Slots that were reserved ahead are given up, for nobody sends before the provider's pause is over.
        """
        ...


class Unpaced:
    """No waiting at all: for measuring and for tests."""

    async def reserve(self, bot_id: int, lane: Lane, rate: float, slots: Sequence[Slot]) -> list[float]:
        """Now, all of them."""
        del bot_id, lane, rate
        return [0.0] * len(slots)

    def leave(self, bot_id: int, lane: Lane, rate: float) -> float:
        """At once."""
        del bot_id, lane, rate
        return 0.0

    async def slow_down(self, bot_id: int, rate: float, lane: Lane = Lane.BULK) -> None:
        """Nothing to slow down."""
        del bot_id, rate, lane


@dataclass(frozen=True)
class _Limits:
    rate: float
    burst: int
    chat_burst: int
    may_slow: bool


def _limits(lane: Lane, rate: float) -> _Limits:
    if lane is not Lane.INTERACTIVE:
        return _Limits(rate, 1, 1, may_slow=True)
    return _Limits(rate, _INTERACTIVE_BURST, _CHAT_BURST, may_slow=False)


class LocalPacer:
    """The same arithmetic in the memory of one process, over its share of the rate."""

    def __init__(self, peers: int = UNKNOWN_PEERS) -> None:
        self.peers = peers
        self._slots: dict[tuple[int, Lane], float] = {}
        self._slow: dict[tuple[int, Lane], tuple[float, float]] = {}
        self._chats: OrderedDict[tuple[int, str], float] = OrderedDict()
        self._spacing = Spacing()

    async def reserve(self, bot_id: int, lane: Lane, rate: float, slots: Sequence[Slot]) -> list[float]:
        """See `Pacer.reserve`."""
        limits, now = _limits(lane, rate), monotonic()
        allowed = self._slowed(bot_id, lane, limits.rate, now) if limits.may_slow else limits.rate
        step = max(1, self.peers) / allowed
        arrival = max(self._slots.get((bot_id, lane), now), now)
        waits = []
        for slot in slots:
            at = max(now, arrival - (limits.burst - 1) * step)
            arrival += step * slot.weight
            waits.append(self._after_chat(bot_id, slot, at, limits.chat_burst) - now)
        self._slots[bot_id, lane] = arrival
        return waits

    def leave(self, bot_id: int, lane: Lane, rate: float) -> float:
        """See `Pacer.leave`."""
        return self._spacing.leave(bot_id, lane, rate, monotonic())

    async def slow_down(self, bot_id: int, rate: float, lane: Lane = Lane.BULK) -> None:
        """See `Pacer.slow_down`."""
        now = monotonic()
        self._slow[bot_id, lane] = (max(1.0, self._slowed(bot_id, lane, rate, now) / 2), now)
        self._slots.pop((bot_id, lane), None)

    def _slowed(self, bot_id: int, lane: Lane, rate: float, now: float) -> float:
        slow, since = self._slow.get((bot_id, lane), (rate, now))
        return min(rate, slow + (now - since) / 60)

    def _after_chat(self, bot_id: int, slot: Slot, at: float, burst: int) -> float:
        if slot.gap <= 0:
            return at
        chat = max(self._chats.pop((bot_id, slot.address), at), at)
        self._chats[bot_id, slot.address] = chat + slot.gap
        while len(self._chats) > _KNOWN_CHATS:
            self._chats.popitem(last=False)
        return max(at, chat - (burst - 1) * slot.gap)


class ValkeyPacer:
    """The buckets of all processes together; falls back to a local share while Valkey cannot be reached."""

    def __init__(self, valkey: Redis, local: LocalPacer | None = None) -> None:
        self._reserve: Any = valkey.register_script(_RESERVE)
        self._slow_down: Any = valkey.register_script(_SLOW_DOWN)
        self._state: Any = valkey.register_script(_STATE)
        self._away_until = 0.0
        self.local = local or LocalPacer()

    async def reserve(self, bot_id: int, lane: Lane, rate: float, slots: Sequence[Slot]) -> list[float]:
        """See `Pacer.reserve`."""
        if not slots:
            return []
        limits = _limits(lane, rate)
        prefix = f"siyu:rate:{{{bot_id}}}:"
        keys = [f"{prefix}{lane}", f"{prefix}slow:{lane}", *(f"{prefix}chat:{slot.address}" for slot in slots)]
        asked = [limits.rate, limits.burst, limits.chat_burst, 1.0 if limits.may_slow else 0.0]
        for slot in slots:
            asked += (slot.gap * 1000, slot.weight)
        waits = await self._ask(self._reserve, keys, asked)
        if waits is None:
            return await self.local.reserve(bot_id, lane, rate, slots)
        return [wait / 1000 for wait in waits]

    def leave(self, bot_id: int, lane: Lane, rate: float) -> float:
        """See `Pacer.leave`; of this process, for each sleeps and wakes by itself."""
        return self.local.leave(bot_id, lane, rate)

    async def slow_down(self, bot_id: int, rate: float, lane: Lane = Lane.BULK) -> None:
        """See `Pacer.slow_down`."""
        prefix = f"siyu:rate:{{{bot_id}}}:"
        await self._ask(self._slow_down, [f"{prefix}slow:{lane}", f"{prefix}{lane}"], [rate])
        await self.local.slow_down(bot_id, rate, lane)

    async def state(self, bot_id: int, lane: Lane, rate: float) -> LimiterState | None:
        """Where the bucket of a bot's lane stands; None while Valkey is away."""
        prefix = f"siyu:rate:{{{bot_id}}}:"
        found = await self._ask(self._state, [f"{prefix}{lane}", f"{prefix}slow:{lane}"], [rate])
        return None if found is None else LimiterState(float(found[0]), max(0.0, float(found[1])) / 1000)

    async def _ask(self, script: Any, keys: list[str], arguments: list[float]) -> Any:
        if monotonic() < self._away_until:
            return None
        try:
            return await script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = monotonic() + _RETRY_VALKEY
            log.warning("valkey_away", error=type(error).__name__)
            return None
