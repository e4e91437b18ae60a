"""Reading a survey's JSON definition: its shape, then everything that could go wrong while members answer."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crm.surveys.errors import InvalidSurvey, Problem
from crm.surveys.question_types import question_types
from crm.surveys.soundness import question_problems
from crm.surveys.types import Definition, Jump, Option, Question, TagRule, When

_KEY = r"^[a-z0-9][a-z0-9_-]{0,39}$"
_LONGEST_TITLE = 1000
_LONGEST_LABEL = 60
MOST_QUESTIONS = 100
MOST_OPTIONS = 50


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _When(_Shape):
    is_: str | int | None = Field(None, alias="is")
    any_of: list[str | int] = Field([], max_length=MOST_OPTIONS)
    at_least: int | None = None
    at_most: int | None = None


class _Jump(_Shape):
    if_: _When = Field(_When.model_validate({}), alias="if")
    to: str


class _TagRule(_Shape):
    if_: _When = Field(alias="if")
    tag: str = Field(min_length=1, max_length=100)


class _Option(_Shape):
    key: str = Field(pattern=_KEY)
    label: dict[str, str]
    tag: str | None = Field(None, min_length=1, max_length=100)


class _Question(_Shape):
    key: str = Field(pattern=_KEY)
    type: str
    title: dict[str, str]
    options: list[_Option] = Field([], max_length=MOST_OPTIONS)
    required: bool = True
    jump: list[_Jump] = Field([], max_length=MOST_OPTIONS)
    tags: list[_TagRule] = Field([], max_length=MOST_OPTIONS)
    scale: int = 5


class _Definition(_Shape):
    questions: list[_Question] = Field(min_length=1, max_length=MOST_QUESTIONS)
    intro: dict[str, str] = {}
    thanks: dict[str, str] = {}


def schema() -> dict[str, Any]:
    """JSON schema of a definition, for editors."""
    return _Definition.model_json_schema(by_alias=True)


def load(data: Any) -> Definition:
    """A definition that was checked when it was saved."""
    shape = _Definition.model_validate(data)
    return Definition([_question(item) for item in shape.questions], shape.intro, shape.thanks)


def check(data: Any, locales: Sequence[str]) -> Definition:
    """The definition when members can answer it in all `locales`. Raises InvalidSurvey with every problem's path."""
    if not is_storable(data):
        raise InvalidSurvey([Problem("definition", "there is a NUL or half a character in one of the texts")])
    try:
        definition = load(data)
    except ValidationError as error:
        raise InvalidSurvey([_shape_problem(item) for item in error.errors()]) from error
    problems = list(_text_problems(definition, locales))
    problems += question_problems(definition.questions, question_types())
    if problems:
        raise InvalidSurvey(problems)
    return definition


def is_storable(data: Any) -> bool:
    """Whether PostgreSQL can hold this JSON: no NUL, no lone surrogates."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    return "\\u0000" not in text and text == text.encode("utf-8", "replace").decode()


def _shape_problem(error: Any) -> Problem:
    path = ".".join(str(part) for part in error["loc"]) or "definition"
    message = str(error["msg"])
    if error["type"] == "extra_forbidden":
        message = "there is no such field"
    elif error["type"] == "string_pattern_mismatch":
        message = "a key has 1 to 40 characters: small letters, digits, - and _"
    elif path == "questions" and error["type"] == "too_short":
        message = "a survey needs at least one question"
    return Problem(path, message)


def _text_problems(definition: Definition, locales: Sequence[str]) -> Iterator[Problem]:
    for name, text in (("intro", definition.intro), ("thanks", definition.thanks)):
        if text:
            yield from _localized(name, text, locales, _LONGEST_TITLE)
    for number, question in enumerate(definition.questions):
        yield from _localized(f"questions.{number}.title", question.title, locales, _LONGEST_TITLE)
        for place, option in enumerate(question.options):
            yield from _localized(f"questions.{number}.options.{place}.label", option.label, locales, _LONGEST_LABEL)


def _localized(path: str, text: dict[str, str], locales: Sequence[str], longest: int) -> Iterator[Problem]:
    for locale in locales:
        if not text.get(locale):
            yield Problem(f"{path}.{locale}", f"the text in {locale} is missing")
    for locale, value in text.items():
        if len(value) > longest:
            yield Problem(f"{path}.{locale}", f"the text has {len(value)} characters; at most {longest} fit")


def _question(shape: _Question) -> Question:
    return Question(
        shape.key,
        shape.type,
        shape.title,
        [Option(option.key, option.label, option.tag) for option in shape.options],
        shape.required,
        [Jump(_when(jump.if_), jump.to) for jump in shape.jump],
        [TagRule(_when(rule.if_), rule.tag) for rule in shape.tags],
        shape.scale,
    )


def _when(shape: _When) -> When:
    single = [] if shape.is_ is None else [shape.is_]
    return When([*single, *shape.any_of], shape.at_least, shape.at_most)
