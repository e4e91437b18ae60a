"""What could go wrong while members answer: loops, jumps to nowhere, questions that nobody reaches. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from crm.surveys.errors import InvalidAnswer, Problem
from crm.surveys.question_types import QuestionType
from crm.surveys.types import END, Question, When
from crm.tags import policy as tags
from crm.tags.errors import InvalidTag


def question_problems(questions: Sequence[Question], types: Mapping[str, QuestionType]) -> list[Problem]:
    """Every problem of the questions, with its path from the definition's root."""
    problems = list(chain.from_iterable(_of_one(number, questions, types) for number in range(len(questions))))
    return problems or list(_unreachable(questions))


def _of_one(number: int, questions: Sequence[Question], types: Mapping[str, QuestionType]) -> Iterator[Problem]:
    question, path = questions[number], f"questions.{number}"
    if question.key == END:
        yield Problem(f"{path}.key", f"{END!r} is where a survey ends; choose another key")
    if any(question.key == other.key for other in questions[:number]):
        yield Problem(f"{path}.key", f"there is another question with the key {question.key!r}")
    kind = types.get(question.type)
    if kind is None:
        yield Problem(f"{path}.type", f"there is no type {question.type!r}; known are: {', '.join(sorted(types))}")
        return
    yield from _options(path, question, kind)
    yield from (Problem(f"{path}.{found.path}", found.message) for found in kind.check(question))
    yield from _tags(path, question)
    for place, rule in enumerate(question.tags):
        yield from _when(f"{path}.tags.{place}.if", question, kind, rule.when)
    for place, jump in enumerate(question.jumps):
        yield from _when(f"{path}.jump.{place}.if", question, kind, jump.when)
        yield from _target(f"{path}.jump.{place}.to", number, questions, jump.to)


def _options(path: str, question: Question, kind: QuestionType) -> Iterator[Problem]:
    if kind.has_options and not question.options:
        yield Problem(f"{path}.options", "there is nothing to choose from")
    if not kind.has_options and question.options:
        yield Problem(f"{path}.options", f"a question of the type {kind.name} has no options")
    keys = [option.key for option in question.options]
    for place, key in enumerate(keys):
        if key in keys[:place]:
            yield Problem(f"{path}.options.{place}.key", f"there is another option with the key {key!r}")


def _tags(path: str, question: Question) -> Iterator[Problem]:
    named = [(f"{path}.options.{place}.tag", option.tag) for place, option in enumerate(question.options)]
    named += [(f"{path}.tags.{place}.tag", rule.tag) for place, rule in enumerate(question.tags)]
    for where, tag in named:
        try:
            if tag is not None:
                tags.parse(tag)
        except InvalidTag as error:
            yield Problem(where, error.detail)


def _when(path: str, question: Question, kind: QuestionType, when: When) -> Iterator[Problem]:
    for bound in ("at_least", "at_most"):
        if getattr(when, bound) is not None and not kind.is_numeric:
            yield Problem(f"{path}.{bound}", f"answers of the type {kind.name} are not numbers")
    for value in when.any_of:
        try:
            kind.read(question, [value] if kind.name == "multiple" else value)
        except InvalidAnswer as error:
            yield Problem(path, f"{value!r} can never be the answer: {error.detail}")


def _target(path: str, number: int, questions: Sequence[Question], target: str) -> Iterator[Problem]:
    if target == END or any(target == later.key for later in questions[number + 1 :]):
        return
    if any(target == known.key for known in questions):
        yield Problem(path, f"a jump to {target!r} goes round in a circle; jump to a later question or {END!r}")
    else:
        yield Problem(path, f"there is no question {target!r}; jump to a later question or {END!r}")


def _unreachable(questions: Sequence[Question]) -> Iterator[Problem]:
    places = {question.key: number for number, question in enumerate(questions)}
    reached = {0}
    for number, question in enumerate(questions):
        if number not in reached:
            yield Problem(f"questions.{number}", f"nobody is ever asked {question.key!r}: every way jumps over it")
            continue
        reached |= {places[jump.to] for jump in question.jumps if jump.to != END}
        if not any(jump.when.is_always for jump in question.jumps):
            reached.add(number + 1)
