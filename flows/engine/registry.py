"""All flows that are shipped, by name and by what starts them."""

from collections.abc import Iterable
from typing import Any

from crm.kit.discovery import instances, modules_in
from flows.engine.flow import Button, Command, Flow, Keyword, Menu, Opening, Start, StopWords

STOP_WORDS = frozenset({"stop", "unsubscribe", "退订", "td", "取消订阅"})
"""Whole trimmed texts, in any case, that withdraw consent in any state."""
CANCEL_WORDS = frozenset({"cancel", "取消"})


class AmbiguousStart(Exception):
    """Two flows start by the same thing, or have the same name."""


class Flows:
    """The flows of this deployment."""

    def __init__(self, flows: Iterable[Flow[Any]]) -> None:
        self._by_name: dict[str, Flow[Any]] = {}
        self._by_start: dict[tuple[type, str], Flow[Any]] = {}
        for item in flows:
            if item.name in self._by_name:
                raise AmbiguousStart(f"two flows are named {item.name}")
            self._by_name[item.name] = item
            for start in item.starts:
                self._add(start, item)

    def named(self, name: str) -> Flow[Any]:
        """The flow of that name. Raises KeyError."""
        return self._by_name[name]

    def find(self, name: str) -> Flow[Any] | None:
        """The flow of that name, None when it is no longer shipped."""
        return self._by_name.get(name)

    def by(self, kind: type, word: str = "") -> Flow[Any] | None:
        """The flow that starts by a `kind` of start with this word, command, label or name."""
        return self._by_start.get((kind, word.casefold()))

    def commands(self) -> list[str]:
        """Names of all commands, for the channels' command lists."""
        return [word for kind, word in self._by_start if kind is Command]

    def menu_label(self, name: str, locale: str) -> str:
        """How the persistent menu calls the flow of that name. Raises KeyError if it is not on the menu."""
        for start in self._by_name[name].starts:
            if isinstance(start, Menu):
                return start.labels.get(locale) or next(iter(start.labels.values()))
        raise KeyError(name)

    def menu_in(self, label: str, locale: str) -> str:
        """An entry of the persistent menu in another language; as it is when no flow is called so."""
        found = self.by(Menu, label)
        return label if found is None else self.menu_label(found.name, locale)

    def _add(self, start: Start, item: Flow[Any]) -> None:
        for key in _keys(start):
            if key in self._by_start:
                raise AmbiguousStart(f"{item.name} and {self._by_start[key].name} both start by {key[1] or key[0]}")
            self._by_start[key] = item


def _keys(start: Start) -> list[tuple[type, str]]:
    match start:
        case Command(name) | Button(name):
            return [(type(start), name.casefold())]
        case Keyword():
            return [(Keyword, word.casefold()) for word in start.words]
        case Menu():
            return [(Menu, label.casefold()) for label in sorted(set(start.labels.values()))]
        case StopWords() | Opening():
            return [(type(start), "")]


def discover() -> Flows:
    """Every flow of the modules directly inside `flows`."""
    return Flows(item for module in modules_in("flows") for item in instances(module, Flow))
