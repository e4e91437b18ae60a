"""Decides what an input means, from the open question and from what starts flows. Pure."""

from dataclasses import dataclass, field
from typing import Any

from flows.engine.buttons import AnswerTap, ContentTap, StartTap, read_tap
from flows.engine.flow import Button, Command, Flow, Keyword, Menu, Opening, StopWords
from flows.engine.inputs import Input, InputKind
from flows.engine.reading import OpenQuestion
from flows.engine.registry import CANCEL_WORDS, STOP_WORDS, Flows


@dataclass(frozen=True)
class StartFlow:
    """It starts a flow; `keyword` is the word that did it, if it was one."""

    flow: Flow[Any]
    arguments: list[Any] = field(default_factory=list)
    keyword: str | None = None


@dataclass(frozen=True)
class GiveAnswer:
    """It is given to the open question."""


@dataclass(frozen=True)
class Cancel:
    """It ends the running flow."""


@dataclass(frozen=True)
class StaleTap:
    """It answers a question of run number `run` that is not open any more."""

    run: int


@dataclass(frozen=True)
class OldButton:
    """A button that is not known any more."""


@dataclass(frozen=True)
class TapContent:
    """A button of a message that operators wrote."""

    tap: ContentTap


@dataclass(frozen=True)
class Unknown:
    """Nothing understands it."""

    text: str = ""


Route = StartFlow | GiveAnswer | Cancel | StaleTap | OldButton | TapContent | Unknown


def route(given: Input, run: int | None, asked: OpenQuestion | None, flows: Flows) -> Route:
    """What `given` means while question `asked` of run number `run` is open, if any."""
    match given.kind:
        case InputKind.BUTTON:
            return _tap(given, run, asked, flows)
        case InputKind.START:
            return _start(flows.by(Opening), given.payload or "") or Unknown()
        case InputKind.TEXT:
            return _text(given.text.strip(), asked, flows)
    return GiveAnswer() if asked else Unknown()


def _tap(given: Input, run: int | None, asked: OpenQuestion | None, flows: Flows) -> Route:
    match read_tap(given.data):
        case StartTap(name, argument):
            return _start(flows.by(Button, name), argument) or OldButton()
        case AnswerTap() as tap:
            is_open = asked is not None and (tap.run, tap.step) == (run, asked.step)
            return GiveAnswer() if is_open else StaleTap(tap.run)
        case ContentTap() as tap:
            return TapContent(tap)
    return OldButton()


def _text(text: str, asked: OpenQuestion | None, flows: Flows) -> Route:
    word = text.casefold()
    stop = flows.by(StopWords)
    if word in STOP_WORDS and stop is not None:
        return StartFlow(stop)
    if word in CANCEL_WORDS or word == "/cancel":
        return Cancel()
    if (found := _command(text, flows)) or (found := _start(flows.by(Menu, word), "")):
        return found
    if asked is not None and (asked.wants_text or _is_option(word, asked)):
        return GiveAnswer()
    keyword = flows.by(Keyword, word)
    if keyword is not None:
        return StartFlow(keyword, keyword=word)
    return GiveAnswer() if asked else Unknown(text)


def _command(text: str, flows: Flows) -> Route | None:
    if not text.startswith("/"):
        return None
    name, _, argument = text[1:].partition(" ")
    name = name.partition("@")[0]
    if name.casefold() == "start" and flows.by(Command, "start") is None:
        return _start(flows.by(Opening), argument.strip())
    return _start(flows.by(Command, name), argument.strip())


def _start(flow: Flow[Any] | None, argument: str) -> StartFlow | None:
    return None if flow is None else StartFlow(flow, flow.arguments(argument))


def _is_option(word: str, asked: OpenQuestion) -> bool:
    return any(word in {key.casefold(), label.casefold()} for key, label in asked.options)
