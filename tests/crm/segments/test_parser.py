"""What is no rule is refused with the place of every fault."""

from typing import Any

import pytest

from crm.segments import catalogue
from crm.segments.errors import InvalidRuleError
from crm.segments.parser import MAX_CONDITIONS, MAX_PARTS, MAX_PROBLEMS, parse, to_json
from crm.segments.types import All

CONDITIONS = catalogue.discover()
TAG = {"condition": "tag", "tag": "vip"}


def _problems(source: Any) -> dict[str, str]:
    with pytest.raises(InvalidRuleError) as caught:
        parse(source, CONDITIONS)
    assert caught.value.facts["problems"]
    assert caught.value.detail.startswith(caught.value.problems[0].path)
    return {problem.path: problem.text for problem in caught.value.problems}


def _nested(levels: int, kind: str = "not") -> Any:
    rule: Any = TAG
    for _ in range(levels - 1):
        rule = {"not": rule} if kind == "not" else {kind: [rule]}
    return rule


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (None, "rule"),
        ("everyone", "rule"),
        ([], "rule"),
        ({}, "rule"),
        (7, "rule"),
        ({"all": {}}, "rule.all"),
        ({"any": []}, "rule.any"),
        ({"all": [], "any": [TAG]}, "rule"),
        ({"all": [], "limit": 5}, "rule"),
        ({"not": None}, "rule.not"),
        ({"not": [TAG]}, "rule.not"),
        ({"all": [TAG, {"any": [TAG, {"not": {"any": []}}]}]}, "rule.all.1.any.1.not.any"),
        ({"condition": "no_such"}, "rule.condition"),
        ({"condition": None}, "rule.condition"),
        ({"condition": ["tag"]}, "rule.condition"),
        ({"condition": "tag"}, "rule.tag"),
        ({"condition": "tag", "tag": 7}, "rule.tag"),
        ({"condition": "tag", "tag": ""}, "rule.tag"),
        ({"condition": "tag", "tag": "vip", "tagg": "x"}, "rule.tagg"),
        ({"condition": "tag", "tag": "vip", "within_days": "soon"}, "rule.within_days"),
        ({"condition": "tag", "tag": "vip", "within_days": 0}, "rule.within_days"),
        ({"condition": "tag", "tag": "vip", "within_days": 10**30}, "rule.within_days"),
        ({"condition": "points_balance", "at_least": 5, "at_most": 1}, "rule"),
        ({"condition": "points_balance"}, "rule"),
        ({"condition": "points_balance", "at_least": float("nan")}, "rule.at_least"),
        ({"condition": "stage", "stages": ["new", "no_such"]}, "rule.stages.1"),
        ({"condition": "stage", "stages": []}, "rule.stages"),
        ({"condition": "orders", "measure": "count", "at_least": "many"}, "rule.at_least"),
        ({"condition": "orders", "measure": "amount", "at_least": "1e-99999"}, "rule.at_least"),
        ({"condition": "attribute", "key": "cups", "at_least": "1e99999"}, "rule.at_least"),
        ({"condition": "attribute", "key": "cups", "at_least": "soon"}, "rule.at_least"),
        ({"condition": "attribute", "key": "cups", "equals": float("inf")}, "rule.equals"),
        ({"condition": "attribute", "key": "cups", "equals": 10**5000}, "rule.equals"),
        ({"condition": "attribute", "key": "cups'; DROP TABLE members;--", "is_set": True}, "rule.key"),
        ({"condition": "attribute", "key": "cups", "is_set": True, "contains": "x"}, "rule"),
        ({"condition": "language", "locale": "e\x00n"}, "rule.locale"),
        ({"condition": "channel", "channel": "tele\ud800gram"}, "rule.channel"),
        ({"condition": "survey_answer", "survey": "tea", "question": "why", "any_of": ["a\x00"]}, "rule.any_of.0"),
    ],
)
def test_a_fault_is_named_with_its_place(source: Any, path: str) -> None:
    problems = _problems(source)
    assert list(problems) == [path]
    assert problems[path].endswith((".", "?"))


def test_all_faults_are_named_at_once() -> None:
    source = {"all": [{"condition": "tag"}, {"any": []}, {"not": {"condition": "x"}}]}
    assert list(_problems(source)) == ["rule.all.0.tag", "rule.all.1.any", "rule.all.2.not.condition"]


@pytest.mark.parametrize("kind", ["not", "all", "any"])
def test_thirty_levels_are_too_deep(kind: str) -> None:
    (path,) = _problems(_nested(30, kind))
    assert path.count(".") >= 10
    assert "10 levels" in _problems(_nested(11, kind))[path]
    parse(_nested(10, kind), CONDITIONS)


def test_a_hundred_conditions_are_the_most() -> None:
    parse({"all": [TAG] * MAX_CONDITIONS}, CONDITIONS)
    problems = _problems({"all": [{"any": [TAG] * (MAX_CONDITIONS + 1)}]})
    assert list(problems) == [f"rule.all.0.any.{MAX_CONDITIONS}"]
    assert "100 conditions" in next(iter(problems.values()))


def test_a_rule_of_empty_parts_has_an_end_too() -> None:
    wide: dict[str, Any] = {"all": [{"all": [{"all": []}] * 100}] * 10}
    assert all("too large" in text for text in _problems(wide).values())
    assert list(_problems({"all": [{"all": []}] * (MAX_PARTS + 1)})) == ["rule.all"]
    assert len(_problems({"all": [None] * MAX_PARTS})) == MAX_PROBLEMS


def test_problems_repeat_no_more_than_a_little_of_what_came_in() -> None:
    sources: tuple[Any, ...] = (
        {"condition": "x" * 100_000},
        {"condition": "tag", "\ud800" + "y" * 100_000: 1},
        {"all": [], "z" * 9999: []},
    )
    for source in sources:
        for path, text in _problems(source).items():
            assert len(path) + len(text) < 700
            (path + text).encode("utf-8")


def test_an_empty_all_is_everyone_and_rules_keep_their_shape() -> None:
    assert parse({"all": []}, CONDITIONS) == All(())
    source = {"all": [TAG, {"not": {"any": [TAG, {"all": []}]}}]}
    assert to_json(parse(source, CONDITIONS)) == source


def test_parameters_are_stored_in_their_normal_form() -> None:
    source = {"condition": "tag", "tag": " taste ： oolong ", "within_days": None}
    assert to_json(parse(source, CONDITIONS)) == {"condition": "tag", "tag": "taste:oolong"}
