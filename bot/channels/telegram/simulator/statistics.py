"""How often each method was called, and with what outcome."""

from collections import Counter, deque
from dataclasses import dataclass, field

from .json_types import Json


@dataclass(slots=True)
class Statistics:
    """Counters since the start, and the latest calls for tests and curious people."""

    outcomes: Counter[tuple[str, int]] = field(default_factory=Counter)
    latest: deque[Json] = field(default_factory=lambda: deque(maxlen=200))

    def note(self, bot_id: int, method: str, status: int, description: str, at: float) -> None:
        """Count one answered call; status 0 is a connection that was cut."""
        self.outcomes[method, status] += 1
        self.latest.append(
            {
                "at": at,
                "bot_id": bot_id,
                "method": method,
                "status": status,
                "description": description,
            }
        )

    def as_json(self) -> Json:
        """The counters by method and status, and the latest calls, newest last."""
        counts: dict[str, dict[str, int]] = {}
        for (method, status), count in sorted(self.outcomes.items()):
            counts.setdefault(method, {})[str(status)] = count
        return {"counts": counts, "latest": list(self.latest)}
