"""Every mistake in a definition is named with its exact path."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from crm.surveys.definition import check, schema
from crm.surveys.errors import InvalidSurvey
from tests.factories.surveys import both, tea_survey

LOCALES = ["zh-CN", "en"]
Change = Callable[[dict[str, Any]], object]


def _set(path: str, value: Any) -> Change:
    def change(data: dict[str, Any]) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        target: Any = data
        for part in parents:
            target = target[part]
        target[last] = value

    return change


def _problems(change: Change) -> dict[str, str]:
    data = deepcopy(tea_survey())
    change(data)
    with pytest.raises(InvalidSurvey) as refused:
        check(data, LOCALES)
    return {problem.path: problem.message for problem in refused.value.problems}


def test_a_sound_definition_is_read() -> None:
    found = check(tea_survey(), LOCALES)
    assert [question.key for question in found.questions] == ["nps", "why", "likes", "often", "stars"]
    assert found.questions[0].jumps[0].when.at_least == 7
    assert not found.questions[4].is_required
    assert "questions" in schema()["properties"]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (_set("questions", []), "questions", "at least one question"),
        (_set("questions.0.jump.0.to", "nowhere"), "questions.0.jump.0.to", "no question 'nowhere'"),
        (_set("questions.2.jump", [{"to": "nps"}]), "questions.2.jump.0.to", "circle"),
        (_set("questions.2.jump", [{"to": "likes"}]), "questions.2.jump.0.to", "circle"),
        (_set("questions.3.key", "nps"), "questions.3.key", "another question with the key 'nps'"),
        (_set("questions.3.key", "end"), "questions.3.key", "where a survey ends"),
        (_set("questions.3.key", "Ä b"), "questions.3.key", "small letters"),
        (_set("questions.1.type", "essay"), "questions.1.type", "known are: multiple, nps, rating, single, text"),
        (_set("questions.2.options", []), "questions.2.options", "nothing to choose"),
        (_set("questions.0.options", [{"key": "a", "label": both("A")}]), "questions.0.options", "has no options"),
        (_set("questions.2.options.1.key", "green"), "questions.2.options.1.key", "another option"),
        (_set("questions.0.title", {"en": "Only English"}), "questions.0.title.zh-CN", "missing"),
        (_set("questions.2.options.0.label.en", " "), "questions.2.options.0.label.en", "missing"),
        (_set("questions.2.options.0.label.en", "x" * 61), "questions.2.options.0.label.en", "at most 60"),
        (_set("thanks", {"en": "Thanks"}), "thanks.zh-CN", "missing"),
        (_set("questions.3.jump.0.if", {"is": "never"}), "questions.3.jump.0.if", "can never be the answer"),
        (_set("questions.0.jump.0.if", {"is": 11}), "questions.0.jump.0.if", "can never be the answer"),
        (_set("questions.2.jump", [{"if": {"at_least": 3}, "to": "end"}]), "questions.2.jump.0.if.at_least", "numbers"),
        (_set("questions.0.tags.0.tag", ":"), "questions.0.tags.0.tag", ""),
        (_set("questions.4.scale", 11), "questions.4.scale", "between 2 and 10"),
        (_set("questions.4.sclae", 3), "questions.4.sclae", "no such field"),
        (_set("questions.0.jump", [{"to": "likes"}]), "questions.1", "jumps over it"),
        (_set("intro.en", "a\x00b"), "definition", "NUL"),
        (_set("intro.en", "a\ud800b"), "definition", "half a character"),
    ],
)
def test_a_mistake_is_named_with_its_path(change: Change, path: str, message: str) -> None:
    problems = _problems(change)
    assert path in problems, problems
    assert message in problems[path]


def test_all_mistakes_are_told_at_once() -> None:
    def change(data: dict[str, Any]) -> None:
        data["questions"][0]["title"] = {}
        data["questions"][2]["options"] = []

    assert set(_problems(change)) == {"questions.0.title.zh-CN", "questions.0.title.en", "questions.2.options"}
