"""When messages really left: a process that woke up late must not send all that it missed in one burst.

Slots say when messages may leave at the earliest. On a busy machine several are found past at once; what left within
the last second then decides how many of them go now, so that no second ever holds more than the rate.
"""

from collections import deque
from math import ceil

from crm.deliveries.types import Lane

_SECOND = 1.0
_CLOSEST = 0.5
"""Two messages are never nearer to each other than this part of the usual gap."""
_FINEST = 0.001
"""Seconds; timers do not tell less apart, so that waiting for less would only turn in circles."""


class Spacing:
    """The departures of the last second, per bot and lane; times in seconds of one clock."""

    def __init__(self) -> None:
        self._left: dict[tuple[int, Lane], deque[float]] = {}

    def leave(self, bot_id: int, lane: Lane, rate: float, now: float) -> float:
        """0 when a message leaves now, which is noted; else the seconds after which to ask again."""
        left = self._left.get((bot_id, lane))
        if left is None:
            left = self._left[bot_id, lane] = deque()
        while left and left[0] <= now - _SECOND:
            left.popleft()
        wait = left[-1] + _CLOSEST / rate - now if left else 0.0
        if len(left) >= ceil(rate):
            wait = max(wait, left[0] + _SECOND - now, _FINEST)
        if wait >= _FINEST:
            return wait
        left.append(now)
        return 0.0
