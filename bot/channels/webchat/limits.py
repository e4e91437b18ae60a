"""How much one address or visitor may do in a minute, counted in Valkey; in this process while that is away."""

from dataclasses import dataclass

from redis.asyncio import Redis

from crm.kit.clock import monotonic

from .courtesy import Courtesy

_WINDOW = 60
_MOST_KEYS = 10_000


@dataclass(frozen=True)
class Limits:
    """Bounds of the web chat; tests make them smaller."""

    connections: int = 5000
    """At once in one process."""
    hellos: int = 240
    """Connections that one network address may open in a minute; shops and offices share one."""
    visitors: int = 60
    """Visitors that one network address may become in a minute."""
    frames: int = 240
    """Frames of one visitor in a minute, over all connections."""
    burst: int = 80
    """Frames that one connection may send at once."""
    rate: float = 2.0
    """Frames a second that one connection regains."""
    hello_seconds: float = 10.0
    idle_seconds: float = 3600.0
    poll_seconds: float = 2.0
    """How often the database is asked while notes are lost."""
    calm_poll_seconds: float = 15.0
    """How often it is asked anyway."""


class Counters:
    """Counts per key and minute."""

    def __init__(self, courtesy: Courtesy) -> None:
        self._courtesy = courtesy
        self._local: dict[str, tuple[float, int]] = {}

    async def allows(self, key: str, most: int) -> bool:
        """Count one more; False when there were `most` before it in the same minute."""

        async def count(valkey: Redis) -> int:
            name = f"siyu:webchat:count:{key}"
            async with valkey.pipeline(transaction=True) as pipe:
                pipe.set(name, 0, ex=_WINDOW, nx=True)
                pipe.incr(name)
                return int((await pipe.execute())[1])

        found = await self._courtesy.ask(count)
        return (self._count(key) if found is None else found) <= most

    def _count(self, key: str) -> int:
        now = monotonic()
        if len(self._local) >= _MOST_KEYS:
            self._local.clear()
        since, count = self._local.get(key, (now, 0))
        if now - since >= _WINDOW:
            since, count = now, 0
        self._local[key] = (since, count + 1)
        return count + 1


class Bucket:
    """What one connection may send: `burst` at once, `rate` a second from then on."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = float(burst)
        self._rate = rate
        self._level = float(burst)
        self._at = monotonic()

    def take(self) -> float:
        """Take one; the seconds to wait before it may be used."""
        now = monotonic()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._level / self._rate)
