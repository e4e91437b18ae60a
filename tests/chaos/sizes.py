"""How much of everything: little where all tests run, the whole measure for `python -m tests.chaos`."""

import os
from dataclasses import dataclass

VARIABLE = "SIYU_CHAOS"
FULL = "full"


@dataclass(frozen=True)
class Sizes:
    """Every figure that differs between a short run and a full one."""

    is_full: bool
    recipients: int
    """Members of the broadcast during which senders are killed."""
    receipts: int
    """Members of another one beside it, whose messages are sent once more in doubt."""
    kills: int
    """At least so many senders are killed during it."""
    crowd: int
    """Members of the other broadcasts."""
    storm: int
    """Members of a broadcast whose provider asks for pauses again and again."""
    turns: int
    """Pauses and resumptions at random moments."""
    repeats: int
    """How often what is done at one moment is done again."""
    freezes: int
    """How often a sender is frozen past its lease."""
    due_items: int
    """Campaigns that are due at once."""
    schedulers: int
    """Processes that look for them."""


SMALL = Sizes(
    is_full=False,
    recipients=2_000,
    receipts=500,
    kills=4,
    crowd=300,
    repeats=1,
    freezes=1,
    storm=12,
    turns=4,
    due_items=10,
    schedulers=2,
)
WHOLE = Sizes(
    is_full=True,
    recipients=100_000,
    receipts=20_000,
    kills=20,
    crowd=4_000,
    repeats=6,
    freezes=3,
    storm=40,
    turns=50,
    due_items=200,
    schedulers=5,
)
SIZES = WHOLE if os.environ.get(VARIABLE) == FULL else SMALL
