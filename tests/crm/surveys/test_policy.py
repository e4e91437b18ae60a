"""Which question comes next, for any definition that passes the check and any answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.surveys import policy
from crm.surveys.answering import read
from crm.surveys.definition import check
from crm.surveys.errors import InvalidAnswer, InvalidSurvey
from crm.surveys.types import Option, Question, When
from tests.factories.surveys import both, tea_survey

QUESTIONS = check(tea_survey(), ["en"]).questions


@pytest.mark.parametrize(
    ("answers", "following"),
    [
        ({}, "nps"),
        ({"nps": 3}, "why"),
        ({"nps": 3, "why": "cold"}, "stars"),
        ({"nps": 3, "why": "cold", "stars": None}, None),
        ({"nps": 7}, "likes"),
        ({"nps": 9, "likes": ["green"], "often": "rarely"}, None),
        ({"nps": 9, "likes": ["green"], "often": "daily"}, "stars"),
        ({"likes": ["green"]}, "nps"),
    ],
)
def test_answers_lead_the_way(answers: dict[str, Any], following: str | None) -> None:
    assert policy.next_question(QUESTIONS, answers) == following


def test_only_answers_on_the_way_earn_tags_and_count() -> None:
    stray = {"nps": 3, "why": "cold", "likes": ["green"], "stars": 4}
    assert policy.tags_for(QUESTIONS, stray) == []
    on_the_way = {"nps": 9, "likes": ["green", "black"], "often": "rarely"}
    assert policy.tags_for(QUESTIONS, on_the_way) == ["nps:promoter", "likes:green"]
    assert policy.nps_of(QUESTIONS, on_the_way) == 9


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("nps", 0, 0),
        ("nps", 10, 10),
        ("rating", 5, 5),
        ("single", "b", "b"),
        ("multiple", ["b", "a", "b"], ["a", "b"]),
        ("text", "  \x00 tea \r\n please ", "tea \n please"),
    ],
)
def test_answers_are_stored_in_one_form(kind: str, value: object, stored: object) -> None:
    assert read(_question(kind), value) == stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("nps", value) for value in (-1, 11, "7", 7.0, True, [7], None)],
        *[("rating", value) for value in (0, 6, "5", None)],
        *[("single", value) for value in ("c", "", ["a"], 1, None)],
        *[("multiple", value) for value in ([], ["c"], "a", [1], [["a"]], None)],
        *[("text", value) for value in ("", "  ", "\x00", "x" * 2001, 5, ["x"], None)],
    ],
)
def test_what_is_no_answer_is_refused(kind: str, value: object) -> None:
    with pytest.raises(InvalidAnswer):
        read(_question(kind), value)


def _question(kind: str) -> Question:
    options = [Option("a", both("A")), Option("b", both("B"))] if kind in {"single", "multiple"} else []
    return Question("q", kind, both("Q"), options)


@given(st.data())
def test_every_way_through_a_sound_definition_ends(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    keys = [f"q{number}" for number in range(count)]
    questions = [
        {
            "key": key,
            "type": "nps",
            "title": both("?"),
            "jump": data.draw(
                st.lists(
                    st.fixed_dictionaries(
                        {
                            "to": st.sampled_from([*keys, "end"]),
                            "if": st.fixed_dictionaries({"at_least": st.integers(0, 10)}),
                        }
                    ),
                    max_size=3,
                )
            ),
        }
        for key in keys
    ]
    try:
        found = check({"questions": questions}, ["en"]).questions
    except InvalidSurvey:
        return
    answers: dict[str, Any] = {}
    for _ in range(count):
        following = policy.next_question(found, answers)
        if following is None:
            break
        answers[following] = data.draw(st.integers(0, 10))
    assert policy.next_question(found, answers) is None


def test_a_skipped_answer_passes_no_test_but_the_empty_one() -> None:
    assert policy.holds(When(), None)
    assert not policy.holds(When(at_least=0), None)
    assert not policy.holds(When(any_of=["a"]), None)
    assert policy.holds(When(any_of=["a"], at_most=3), 3) is False
