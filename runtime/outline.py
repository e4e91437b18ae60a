"""What a lean process must know but cannot afford to find out: its settings, and who reacts to which event.

Reading these takes a validation library and every capability's subscribers, together more memory than all that a
sender does. So a copy of the process reads them, says them as JSON and ends; `Lean` is what was said.
"""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from crm.events.subscriptions import Subscriptions, outlined

if TYPE_CHECKING:
    from crm.config.settings import Settings

SECRET, FOLDER = "secret", "folder"


@dataclass(frozen=True)
class Secret:
    """A value that is not to be seen in logs; as pydantic's."""

    _value: str = field(repr=False)

    def get_secret_value(self) -> str:
        """The value."""
        return self._value


@dataclass(frozen=True)
class Lean:
    """What a lean process is given at its start."""

    settings: "Settings"
    """The same names and values; not an object of pydantic, so nothing of pydantic's can be asked of it."""
    subscriptions: Subscriptions


def understood(said: dict[str, Any]) -> Lean:
    """What `runtime.telling.tell` said."""
    groups = {name: SimpleNamespace(**_values(group)) for name, group in said["settings"].items()}
    return Lean(cast("Settings", SimpleNamespace(**groups)), outlined(said["subscribers"]))


def _values(group: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in group.items()}


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return Secret(value[SECRET]) if SECRET in value else Path(value[FOLDER])
