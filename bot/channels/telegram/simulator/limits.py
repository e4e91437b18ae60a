"""The published sending limits, kept as one theoretical arrival time per bot, chat and group."""

import math
from dataclasses import dataclass, field

from .config import RateLimits
from .errors import too_many_requests

_MOST_KEYS = 50_000
_ROUNDING = 1e-9


@dataclass(slots=True)
class Pacer:
    """Counts what bots send and refuses what comes too fast."""

    limits: RateLimits
    _arrivals: dict[tuple[str, int, int], float] = field(default_factory=dict)

    def charge(self, bot_id: int, chat_id: int, *, now: float, weight: int = 1) -> None:
        """Count `weight` messages to a chat; raises 429 and counts nothing when over a limit."""
        limits = self.limits
        if not limits.is_enforced:
            return
        rows = [("bot", 0, limits.per_second, limits.per_second)]
        if chat_id < 0:
            burst = limits.group_per_minute
            rows.append(("group", chat_id, limits.group_per_minute / 60, burst))
        else:
            rows.append(("chat", chat_id, limits.chat_per_second, float(limits.chat_burst)))
        charges: dict[tuple[str, int, int], float] = {}
        longest = 0.0
        for name, key, rate, burst in rows:
            place = (name, bot_id, key)
            # A burst may be smaller than an album; a rested bucket lets the album pass whole.
            room = max(burst, float(weight)) / rate
            arrival = max(self._arrivals.get(place, now), now) + weight / rate
            longest = max(longest, arrival - now - room)
            charges[place] = arrival
        if longest > _ROUNDING:
            raise too_many_requests(max(1, math.ceil(longest)))
        self._arrivals.update(charges)
        if len(self._arrivals) > _MOST_KEYS:
            self._forget_rested(now)

    def _forget_rested(self, now: float) -> None:
        self._arrivals = {key: at for key, at in self._arrivals.items() if at > now}
