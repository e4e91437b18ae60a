"""What every type of survey question must do."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.surveys.definition import check
from crm.surveys.errors import InvalidAnswer, Problem
from crm.surveys.question_types import QuestionType, question_types
from crm.surveys.types import Option, Question
from tests.conformance.parameters import assert_named, shipped

TYPES: list[QuestionType] = shipped("crm.surveys.questions", QuestionType)
KEYS = ("green", "oolong", "black")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*KEYS, "\x00", "\ud800", 0, 5, 10]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


def _question(kind: QuestionType) -> Question:
    options = [Option(key, {"en": key}) for key in KEYS] if kind.has_options else []
    return Question("q", kind.name, {"en": "?"}, options)


def test_they_are_named_and_none_hides_another() -> None:
    assert_named(TYPES)
    assert set(question_types()) == {kind.name for kind in TYPES}
    assert all(type(kind.has_options) is type(kind.is_numeric) is bool for kind in TYPES)


@pytest.mark.parametrize("kind", TYPES, ids=lambda item: item.name)
def test_a_sound_question_is_not_complained_of(kind: QuestionType) -> None:
    assert list(kind.check(_question(kind))) == []
    assert all(isinstance(problem, Problem) for problem in kind.check(Question("q", kind.name, {}, scale=10**9)))


@pytest.mark.parametrize("kind", TYPES, ids=lambda item: item.name)
@given(value=VALUES)
def test_an_answer_is_read_or_refused_with_a_hint(kind: QuestionType, value: Any) -> None:
    question = _question(kind)
    try:
        read = kind.read(question, value)
    except InvalidAnswer as error:
        hint = error.detail
    else:
        hint = "read"
        assert read is not None
        assert kind.read(question, read) == read, "what was read once is read alike again"
        json.dumps(read, allow_nan=False, ensure_ascii=False).encode("utf-8")
        assert "\x00" not in json.dumps(read)
        if kind.is_numeric:
            assert type(read) is int
    assert hint


@pytest.mark.parametrize("kind", TYPES, ids=lambda item: item.name)
def test_it_may_stand_in_a_survey(kind: QuestionType) -> None:
    both = {"en": "?", "zh-CN": "？"}
    options = [{"key": key, "label": both} for key in KEYS]
    question: dict[str, Any] = {"key": "q", "type": kind.name, "title": both}
    if kind.has_options:
        question["options"] = options
    definition = check({"intro": both, "thanks": both, "questions": [question]}, ["en", "zh-CN"])
    assert definition.questions[0].type == kind.name
