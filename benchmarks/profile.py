"""Where the processor time of a piece of work goes: samples of the stack, as shares by function.

What is missed by a benchmark is shown with this beside it, so that nobody has to guess. A signal of the processor's
clock takes a sample each few milliseconds, which slows the work down by less than a hundredth; a tracing profiler
would make small functions look dear and large ones cheap.
"""

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

_EVERY = 0.002
"""Seconds of processor time."""
_ROOT = Path(__file__).parents[1]
_OURS = tuple(f"{_ROOT / name}/" for name in ("crm", "bot", "flows", "runtime", "admin_api", "benchmarks"))


@dataclass
class Profile:
    """Samples by function of ours: in it or in what it called, and in it or in code of others that it called."""

    number: int = 0
    within: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)

    def take(self, _: int, frame: FrameType | None) -> None:
        """One sample; a handler of signals."""
        ours = []
        while frame is not None:
            if frame.f_code.co_filename.startswith(_OURS):
                ours.append(_name(frame))
            frame = frame.f_back
        self.number += 1
        self.own[ours[0] if ours else "the event loop"] += 1
        self.within.update(set(ours))

    def top(self, number: int = 12) -> list[str]:
        """The largest shares, in words: own work, and with all that is called."""
        total = self.number or 1
        return [
            f"{count / total:6.1%} own {self.within[name] / total:6.1%} in all  {name}"
            for name, count in self.own.most_common(number)
        ]


def _name(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename.removeprefix(str(_ROOT))[1:]}:{frame.f_code.co_name}"


@contextlib.contextmanager
def profiled() -> Iterator[Profile]:
    """Sample this process while the block runs."""
    profile = Profile()
    before = signal.signal(signal.SIGPROF, profile.take)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    try:
        yield profile
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
