"""The contract of an earning rule's kind; each kind is one module of `crm/points/rules/`, found by discovery."""

from functools import cache
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import Field

from crm.events.types import Event
from crm.kit.discovery import instances, modules_in
from crm.points.errors import UnknownRuleKind
from crm.points.starting import Starting
from crm.points.types import MAX_POINTS
from crm.profiles.types import Profile


class RuleParameters(Starting):
    """Base of every rule's parameters: how long its points last, and from when on they can be spent."""

    is_multiplied: ClassVar[bool] = False
    """Whether the kind itself takes the multiplier of the member's tier into account."""


class PointsParameters(RuleParameters):
    """Parameters of a rule that gives a fixed number of points."""

    points: int = Field(ge=1, le=MAX_POINTS, description="Points to give.")


@runtime_checkable
class RuleKind(Protocol):
    """How a kind of earning rule turns an event into points; it sees the event and the profile, nothing else."""

    name: str
    """Stable name, e.g. `order_rate`."""
    label: str
    """English label for the console; translated there."""
    event: type[Event] | None
    """What it reacts to; None when it is only granted by hand."""
    parameters: type[RuleParameters]
    """Model of the parameters; its JSON schema makes the console's form."""

    def points(self, parameters: Any, event: Any, profile: Profile) -> int:
        """Whole points for this event, 0 for none. Pure."""
        ...

    def explain(self, parameters: Any, locale: str) -> str | None:
        """One sentence for members in `locale` (`zh-CN`, else English); None: members are not told."""
        ...


@cache
def kinds() -> dict[str, RuleKind]:
    """Every kind of `crm/points/rules/`, by name."""
    found = (item for module in modules_in("crm.points.rules") for item in instances(module, RuleKind))  # type: ignore[type-abstract]  # a runtime-checkable protocol is what instances() filters by
    return {kind.name: kind for kind in found if not isinstance(kind, type)}


def kind_named(name: str) -> RuleKind:
    """The kind of that name. Raises UnknownRuleKind, which lists the names."""
    kind = kinds().get(name)
    if kind is None:
        known = ", ".join(sorted(kinds()))
        raise UnknownRuleKind(f"there is no kind of earning rule named {name[:50]!r}; known are: {known}", kind=name)
    return kind


def kinds_for(event: str) -> list[str]:
    """Names of the kinds that react to events of kind `event`."""
    return [kind.name for kind in kinds().values() if kind.event is not None and kind.event.kind == event]
