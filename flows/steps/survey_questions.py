"""How each type of survey question is asked in a chat; a type that is not named here is asked by what it declares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crm.surveys.question_types import question_types
from crm.surveys.types import Question as SurveyQuestion
from flows.engine.choices import Choice, Choices, Rating, Skippable
from flows.engine.questions import Question, Text
from flows.engine.reading import Option

_LONGEST = 2000
_BEST_NPS = 10
_NPS_COLUMNS = 6
_RATING_COLUMNS = 5


@dataclass(frozen=True)
class Asked:
    """A question of the chat, and the step of `survey/` that shows it."""

    step: str
    question: Question[Any]


def _options(question: SurveyQuestion) -> list[Option]:
    return [Option(option.key, option.label) for option in question.options]


_WAYS: dict[str, Callable[[SurveyQuestion], Question[Any]]] = {
    "nps": lambda _: Rating(0, _BEST_NPS, _NPS_COLUMNS),
    "rating": lambda question: Rating(1, question.scale, _RATING_COLUMNS),
    "single": lambda question: Choice(*_options(question)),
    "multiple": lambda question: Choices(*_options(question), minimum=1),
    "text": lambda _: Text(_LONGEST),
}


def asked(question: SurveyQuestion) -> Asked:
    """The survey's question as the chat asks it, with a Skip button unless it is required."""
    way = question.type if question.type in _WAYS else _closest(question.type)
    in_chat = _WAYS[way](question)
    return Asked(way, in_chat if question.is_required else Skippable(in_chat))


def _closest(name: str) -> str:
    kind = question_types().get(name)
    if kind is not None and kind.has_options:
        return "single"
    return "rating" if kind is not None and kind.is_numeric else "text"
