"""The conditions that capabilities bring in `crm/<capability>/conditions/`."""

from collections.abc import Iterable, Iterator

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import surroundings
from crm.kit.discovery import instances, modules_in, modules_named
from crm.kit.rules import Condition
from crm.segments.types import ConditionInfo

PORT = "conditions"


class Conditions:
    """All conditions, by name. Raises ValueError when two have the same name."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._by_name: dict[str, Condition] = {}
        for condition in conditions:
            if condition.name in self._by_name:
                raise ValueError(f"two conditions are named {condition.name}")
            self._by_name[condition.name] = condition

    def __iter__(self) -> Iterator[Condition]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Condition | None:
        """The condition of that name."""
        return self._by_name.get(name)

    def names(self) -> list[str]:
        """Every name, in order."""
        return sorted(self._by_name)

    def infos(self) -> list[ConditionInfo]:
        """What a form needs to know of each, by group and label."""
        found = [ConditionInfo(item.name, item.label, item.group, item.parameters.model_json_schema()) for item in self]
        return sorted(found, key=lambda item: (item.group, item.label))


def discover() -> Conditions:
    """Every condition that is shipped."""
    packages = [module.__name__ for module in modules_named("crm", "conditions")]
    return Conditions(
        item
        for package in packages
        for module in modules_in(package)
        for item in instances(module, Condition)  # type: ignore[type-abstract]  # a runtime protocol
    )


def of(session: AsyncSession) -> Conditions:
    """The conditions that runtime handed to this session."""
    found = surroundings(session).ports[PORT]
    assert isinstance(found, Conditions)
    return found
