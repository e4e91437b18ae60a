"""How a simulated Bot API server is set up: bots, limits, folder and waiting times."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crm.kit.clock import process_now


def server_clock() -> float:
    """Seconds since the epoch on the simulated server, which no setting of Siyu's clock moves."""
    return process_now().timestamp()


@dataclass(frozen=True, slots=True)
class BotAccount:
    """One bot as its owner registered it; `reads_groups` is off like the privacy mode's default."""

    token: str
    username: str
    name: str
    description: str = ""
    reads_groups: bool = False

    @property
    def id(self) -> int:
        """The bot's user id, which is the part of the token before the colon."""
        return int(self.token.partition(":")[0])


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The published sending limits; `is_enforced=False` lifts them all for benches."""

    is_enforced: bool = True
    per_second: float = 30.0
    chat_per_second: float = 1.0
    chat_burst: int = 6
    group_per_minute: float = 20.0


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Everything that a simulated server needs; without `data_folder` it forgets at the end.

    `accepts_any_chat` makes every positive chat id a person who has started the bot, for benches.
    """

    bots: tuple[BotAccount, ...] = ()
    data_folder: Path | None = None
    limits: RateLimits = field(default_factory=RateLimits)
    accepts_any_chat: bool = False
    history_per_chat: int = 2000
    flush_seconds: float = 0.1
    update_expiry_seconds: float = 24 * 3600.0
    callback_expiry_seconds: float = 150.0
    webhook_first_retry_seconds: float = 1.0
    webhook_retry_cap_seconds: float = 60.0
    webhook_timeout_seconds: float = 60.0
    clock: Callable[[], float] = server_clock
