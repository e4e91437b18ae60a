"""Pure decisions of surveys: which question is next, which tags an answer earns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm.surveys.types import END, Question, When


def holds(when: When, value: Any) -> bool:
    """Whether the answer passes the test; a skipped question (None) passes only a test of nothing."""
    if when.is_always:
        return True
    if value is None:
        return False
    if when.any_of and not any(_equals(wanted, value) for wanted in when.any_of):
        return False
    if when.at_least is None and when.at_most is None:
        return True
    return (
        type(value) is int
        and (when.at_least is None or value >= when.at_least)
        and (when.at_most is None or value <= when.at_most)
    )


def _equals(wanted: str | int, value: Any) -> bool:
    return wanted in value if isinstance(value, list) else wanted == value


def walk(questions: Sequence[Question], answers: Mapping[str, Any]) -> Iterator[Question]:
    """The questions on the way that these answers take, up to and with the first one without an answer."""
    places = {question.key: number for number, question in enumerate(questions)}
    number = 0
    while number < len(questions):
        question = questions[number]
        yield question
        if question.key not in answers:
            return
        target = next((jump.to for jump in question.jumps if holds(jump.when, answers[question.key])), None)
        if target == END:
            return
        number = number + 1 if target is None else places[target]


def next_question(questions: Sequence[Question], answers: Mapping[str, Any]) -> str | None:
    """Key of the question to ask next, None when the survey is answered."""
    return next((question.key for question in walk(questions, answers) if question.key not in answers), None)


def tags_for(questions: Sequence[Question], answers: Mapping[str, Any]) -> list[str]:
    """Tags that the answers on the way earn, in the order of the questions, each once."""
    found: dict[str, None] = {}
    for question in walk(questions, answers):
        value = answers.get(question.key)
        chosen = value if isinstance(value, list) else [value]
        found |= {option.tag: None for option in question.options if option.tag and option.key in chosen}
        found |= {rule.tag: None for rule in question.tags if value is not None and holds(rule.when, value)}
    return list(found)


def nps_of(questions: Sequence[Question], answers: Mapping[str, Any]) -> int | None:
    """The answer to the first NPS question on the way."""
    for question in walk(questions, answers):
        if question.type == "nps" and answers.get(question.key) is not None:
            return int(answers[question.key])
    return None
