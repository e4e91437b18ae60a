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


@dataclass
class Profile:
    """Samples by the function that was running, and by the function of ours on whose behalf."""

    innermost: Counter[str] = field(default_factory=Counter)
    ours: Counter[str] = field(default_factory=Counter)

    def take(self, _: int, frame: FrameType | None) -> None:
        """One sample; a handler of signals."""
        if frame is None:
            return
        self.innermost[_name(frame)] += 1
        while frame is not None and not frame.f_code.co_filename.startswith(str(_ROOT)):
            frame = frame.f_back
        if frame is not None:
            self.ours[_name(frame)] += 1

    def top(self, number: int = 12) -> list[str]:
        """The largest shares, by functions of ours, in words."""
        total = sum(self.innermost.values()) or 1
        return [f"{count / total:6.1%}  {name}" for name, count in self.ours.most_common(number)]


def _name(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
    return f"{shown}:{frame.f_code.co_qualname}"


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
