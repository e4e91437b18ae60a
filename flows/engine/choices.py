"""Questions that are answered by buttons; a typed label, key or number counts as well."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from flows.engine.buttons import DONE, SKIP, AnswerTap, read_tap
from flows.engine.inputs import Input, InputKind
from flows.engine.questions import Question, typed_text
from flows.engine.reading import Answer, Draft, OpenQuestion, Option, Reading, Refused, Shape

T = TypeVar("T")
_SEPARATORS = re.compile(r"[,，、;；\n]+")


def _options(given: tuple[str | Option, ...]) -> tuple[Option, ...]:
    return tuple(Option(item) if isinstance(item, str) else item for item in given)


def _tapped(given: Input) -> int | None:
    if given.kind is not InputKind.BUTTON:
        return None
    tap = read_tap(given.data)
    return tap.index if isinstance(tap, AnswerTap) else None


def _picked(given: Input, asked: OpenQuestion) -> str:
    index = _tapped(given)
    if index is not None:
        if 0 <= index < len(asked.options):
            return asked.options[index][0]
        raise Refused("choice_expected")
    if given.kind is not InputKind.TEXT:
        raise Refused("choice_expected")
    return _typed(typed_text(given), asked)


def _typed(text: str, asked: OpenQuestion) -> str:
    wanted = text.strip().casefold()
    for key, label in asked.options:
        if wanted in {key.casefold(), label.strip().casefold()}:
            return key
    if wanted.isdecimal() and 1 <= int(wanted) <= len(asked.options):
        return asked.options[int(wanted) - 1][0]
    raise Refused("choice_expected")


@dataclass(frozen=True, init=False)
class Choice(Question[str]):
    """One of several options; the answer is the option's key."""

    options: tuple[Option, ...]
    columns: int

    def __init__(self, *options: str | Option, columns: int = 1) -> None:
        object.__setattr__(self, "options", _options(options))
        object.__setattr__(self, "columns", columns)

    def shape(self, locale: str) -> Shape:
        """A button for each option."""
        del locale
        return Shape(self.options, columns=self.columns, wants_text=False)

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The key. Raises Refused."""
        del locale
        return Answer(self.load(_picked(given, asked)))

    def load(self, value: Any) -> str:
        """The key, if there still is such an option. Raises Refused."""
        if value not in {option.key for option in self.options}:
            raise Refused("choice_expected")
        return str(value)


@dataclass(frozen=True, init=False)
class Choices(Question[list[str]]):
    """Several of the options, at least `minimum`, at most `maximum`; taps toggle until Done.

    `chosen` are keys that are chosen from the start; those that are no option any more are left out.
    """

    options: tuple[Option, ...]
    chosen: tuple[str, ...]
    minimum: int
    maximum: int | None
    columns: int

    def __init__(
        self,
        *options: str | Option,
        chosen: Sequence[str] = (),
        minimum: int = 0,
        maximum: int | None = None,
        columns: int = 1,
    ) -> None:
        object.__setattr__(self, "options", _options(options))
        known = [option.key for option in self.options]
        object.__setattr__(self, "chosen", tuple(key for key in known if key in chosen))
        object.__setattr__(self, "minimum", minimum)
        object.__setattr__(self, "maximum", maximum)
        object.__setattr__(self, "columns", columns)

    def shape(self, locale: str) -> Shape:
        """A button for each option, and Done."""
        del locale
        return Shape(self.options, self.chosen, self.columns, takes_several=True, wants_text=False)

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """A draft with the tapped option toggled; the keys after Done, or typed with commas. Raises Refused."""
        del locale
        if _tapped(given) == DONE:
            return Answer(self.load(asked.draft))
        if given.kind is InputKind.TEXT:
            parts = [part for part in _SEPARATORS.split(typed_text(given)) if part.strip()]
            return Answer(self.load([_typed(part, asked) for part in parts]))
        key = _picked(given, asked)
        chosen = [item for item in asked.draft if item != key] if key in asked.draft else [*asked.draft, key]
        if self.maximum is not None and len(chosen) > self.maximum:
            raise Refused("choices_range", minimum=self.minimum, maximum=self.maximum)
        return Draft(chosen)

    def load(self, value: Any) -> list[str]:
        """The keys in the order of the options. Raises Refused."""
        known = [option.key for option in self.options]
        if not isinstance(value, list) or not set(value) <= set(known):
            raise Refused("choice_expected")
        if len(set(value)) < self.minimum or (self.maximum is not None and len(set(value)) > self.maximum):
            raise Refused("choices_range", minimum=self.minimum, maximum=self.maximum)
        return [key for key in known if key in value]


@dataclass(frozen=True)
class Rating(Question[int]):
    """A whole number from `lowest` to `highest` on buttons, e.g. Rating(0, 10) for NPS."""

    lowest: int = 1
    highest: int = 5
    columns: int = 6

    def shape(self, locale: str) -> Shape:
        """A button for each number."""
        del locale
        numbers = [str(number) for number in range(self.lowest, self.highest + 1)]
        return Shape(tuple(Option(number, number) for number in numbers), columns=self.columns, wants_text=False)

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The number. Raises Refused."""
        del locale
        if _tapped(given) is not None:
            return Answer(self.load(_picked(given, asked)))
        return Answer(self.load(typed_text(given)))

    def load(self, value: Any) -> int:
        """The number, if it is in range. Raises Refused."""
        try:
            number = int(value)
        except (TypeError, ValueError) as error:
            raise Refused("number_range", minimum=self.lowest, maximum=self.highest) from error
        if not self.lowest <= number <= self.highest:
            raise Refused("number_range", minimum=self.lowest, maximum=self.highest)
        return number


_SKIP_WORDS = {"skip", "/skip", "跳过"}


@dataclass(frozen=True)
class Skippable(Question[T | None], Generic[T]):
    """Any question with a Skip button; the answer is None when it was skipped (by tap, `skip` or 跳过)."""

    question: Question[T]

    def shape(self, locale: str) -> Shape:
        """The question's own shape, and Skip."""
        return replace(self.question.shape(locale), can_skip=True)

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """None if skipped, else the question's own reading. Raises Refused."""
        is_typed = given.kind is InputKind.TEXT and given.text.strip().casefold() in _SKIP_WORDS
        if is_typed or _tapped(given) == SKIP:
            return Answer(None)
        return self.question.read(given, asked, locale)

    def dump(self, answer: T | None) -> Any:
        """As the question's own, None for skipped."""
        return None if answer is None else self.question.dump(answer)

    def load(self, value: Any) -> T | None:
        """As the question's own, None for skipped. Raises Refused."""
        return None if value is None else self.question.load(value)
