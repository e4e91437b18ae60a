"""The contract of a question type; each is one module of `crm/surveys/questions/`, found by discovery."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol, runtime_checkable

from crm.kit.discovery import instances, modules_in
from crm.surveys.errors import InvalidAnswer, Problem
from crm.surveys.types import Question


@runtime_checkable
class QuestionType(Protocol):
    """How a kind of question is defined and answered."""

    name: str
    """Stable name in definitions, e.g. `single`."""
    label: str
    """English label for the console; translated there."""
    has_options: bool
    """Whether it offers options to choose from."""
    is_numeric: bool
    """Whether `at_least` and `at_most` apply to its answers."""

    def check(self, question: Question) -> Iterator[Problem]:
        """What is wrong with the question beyond its shape; paths relative to the question."""
        ...

    def read(self, question: Question, value: Any) -> Any:
        """The answer as it is stored (JSON). Raises InvalidAnswer, which says what would be one."""
        ...


@cache
def question_types() -> dict[str, QuestionType]:
    """Every type of `crm/surveys/questions/`, by name."""
    modules = modules_in("crm.surveys.questions")
    found = (item for module in modules for item in instances(module, QuestionType))  # type: ignore[type-abstract]  # a runtime-checkable protocol is what instances() filters by
    return {item.name: item for item in found if not isinstance(item, type)}


def read_number(value: Any, lowest: int, highest: int) -> int:
    """`value` when it is a whole number in the range. Raises InvalidAnswer."""
    if type(value) is not int or not lowest <= value <= highest:
        raise InvalidAnswer(f"the answer must be a whole number from {lowest} to {highest}")
    return value


def read_option(question: Question, value: Any) -> str:
    """`value` when it is the key of an option. Raises InvalidAnswer."""
    keys = [option.key for option in question.options]
    if not isinstance(value, str) or value not in keys:
        raise InvalidAnswer(f"the answer must be one of: {', '.join(keys)}")
    return value
