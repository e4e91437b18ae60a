"""Declaring a flow: `@flow("check_in", starts=[Command("checkin"), Keyword("签到"), Button("check_in")])`."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """Starts by `/name`, in any state; text behind it is handed to the flow if it takes an argument."""

    name: str


@dataclass(frozen=True, init=False)
class Keyword:
    """Starts when the whole trimmed text is one of `words` (any case), unless text is being asked."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)


@dataclass(frozen=True)
class Menu:
    """Starts by an entry of the persistent menu, in any state; `labels` by locale, as `chat.say(menu=)` shows them."""

    labels: Mapping[str, str]


@dataclass(frozen=True)
class Button:
    """Starts by a button that carries `start_data(name)` or `start_data(name, argument)`, in any state."""

    name: str


@dataclass(frozen=True)
class StopWords:
    """Starts by the stop words (STOP, unsubscribe, 退订, TD ...) as the whole text, in any state."""


@dataclass(frozen=True)
class Opening:
    """Starts when a chat is opened (`/start`, a deep link); the link's payload is handed over, or ''."""


@dataclass(frozen=True)
class Opens:
    """A button of `chat.say` that starts the flow which declares `Button(name)`, perhaps with an argument.

    Its label is the template's option `name`, unless `label` (a text, or `{locale: text}`) is given.
    """

    name: str
    argument: str = ""
    label: str | Mapping[str, str] | None = None


@dataclass(frozen=True)
class Link:
    """A button of `chat.say` that opens a page; its label is the template's option `name`, unless given."""

    name: str
    url: str
    label: str | Mapping[str, str] | None = None


Start = Command | Keyword | Menu | Button | StopWords | Opening


@dataclass(frozen=True)
class Flow(Generic[T]):
    """A conversation: an async function of a chat, and what it starts by."""

    name: str
    function: Callable[..., Awaitable[T]]
    starts: Sequence[Start] = field(default=())
    is_parked: bool = True
    """Whether it waits while another one has the word; else it ends when another one starts."""

    def arguments(self, argument: str) -> list[Any]:
        """`argument` as the flow takes it: dropped if it takes none or there is none."""
        return [argument] if argument and len(inspect.signature(self.function).parameters) > 1 else []


def flow(
    name: str, *, starts: Sequence[Start] = (), is_parked: bool = True
) -> "Callable[[Callable[..., Awaitable[T]]], Flow[T]]":
    """Declare a flow. Its function takes the chat, then at most one text argument with a default when it has starts.

    A flow that is worth nothing later (settings) is not parked: it ends when the member turns to something else.
    It may await methods of the chat only; see docs/howto/add-a-flow.md for the rules that keep it durable.
    """

    def wrap(function: "Callable[..., Awaitable[T]]") -> Flow[T]:
        return Flow(name, function, tuple(starts), is_parked)

    return wrap
