"""What is put together at run time (errors, alerts, formulas, templates) is said in Chinese too."""

import ast
import re
from collections.abc import Iterable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.console import composed
from admin_api.console.locale import catalogue, translator
from admin_api.console.pages import environment
from crm.alerts.types import AlertKind
from crm.events.catalogue import CheckedIn, CustomEvent, OrderPlaced
from crm.messages.content import problems
from crm.messages.types import MessageContent
from crm.points import earning_rules, formulas, samples
from crm.points.errors import InvalidRule
from tests.admin_api.console import sentences
from tests.flows.test_wording import codes

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SIGN = re.compile("‹\\d+›")
say = translator("zh-CN")


def untold(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The texts that stay English, or lose what stood at a place."""
    return {
        text: place
        for text, place in found
        if not _CHINESE.search(say(text)) or set(_SIGN.findall(text)) != set(_SIGN.findall(say(text)))
    }


def test_every_error_of_the_domain_is_translated() -> None:
    found = [*sentences.of_errors(), *sentences.of_classes()]
    assert len(found) > 400
    assert untold(found) == {}


def test_what_validators_say_is_translated() -> None:
    found = list(sentences.of_validators())
    assert len(found) > 15
    assert untold(found) == {}


def test_every_alert_is_translated() -> None:
    found = list(sentences.of_alerts())
    assert untold(found) == {}
    told = {path for _, path in found}
    where = {path: ast.unparse(tree) for path, tree in sentences.trees().items() if path in told}
    for kind in AlertKind:
        assert any(f"AlertKind.{kind.name}" in source for source in where.values()), kind
        title = environment("zh-CN").get_template("console/alerts/words.html").module.alert_title(kind.value)  # type: ignore[attr-defined]  # a macro
        assert _CHINESE.search(title), kind


def test_every_reason_of_points_has_a_name() -> None:
    words = environment("zh-CN").get_template("console/people/words.html").module
    for code in set(codes()):
        assert _CHINESE.search(words.rule_name(code)), code  # type: ignore[attr-defined]  # a macro


def test_every_hint_of_formulas_is_translated() -> None:
    words = [words for event in (CheckedIn, OrderPlaced, CustomEvent) for words, _ in samples.situations(event)]
    hints = [text.format("x") for _, text in formulas._HINTS]
    made: tuple[object, ...] = (True, False, None, "", [], {}, b"")
    answers = [formulas._told(value) for value in made]
    assert untold((text, "formulas") for text in [*words, *hints, *answers]) == {}


BROKEN = [
    {"formula": "points +"},
    {"formula": "colour * 2"},
    {"formula": "'tea'"},
    {"formula": "points / 0"},
    {"formula": "-1"},
    {"formula": "points * 9999999999"},
    {"formula": "order.nothing.here"},
    {"formula": "event.properties.rating"},
    {"formula": "'" + "x" * 600 + "'"},
    {"formula": "[1].map(x, [2].map(y, y))[0][0]"},
    {"formula": "(" * 30 + "1" + ")" * 30},
    {"when": "points"},
    {"when": "points > 1.5 && event.amount > 'x'"},
    {"birthday_multiplier": 0},
    {"windows": [{}]},
    {"windows": [{"weekdays": [9]}]},
    {"caps": {"member_day": -1}},
    {"caps": {"member_day": "many"}},
    {"uses_tier": True, "tier_multipliers": {"gold": 2}},
    {"only_in_windows": True},
    {"priority": 10_000},
    {"priority": 1.5},
    {"nonsense": 1},
]


@pytest.mark.parametrize("terms", BROKEN, ids=lambda terms: str(terms)[:40])
async def test_a_broken_rule_says_why_in_chinese(session: AsyncSession, terms: dict[str, object]) -> None:
    values = {"points": 1, "event_name": "visit"}
    with pytest.raises(InvalidRule) as caught:
        await earning_rules.create(session, kind="custom_event", name="Visit", parameters=values, terms=terms)
    told = [caught.value.detail, *caught.value.facts["problems"].values()]
    assert untold((text, "terms") for text in told) == {}


TEMPLATES = (
    "{{ member.name",
    "{{ member.colour }}",
    "{% if member.name %}",
    "{% for x in member.name %}{% endfor %}",
    "{{ member.name|shout }}",
    "{{ member.name|truncate(member.name) }}",
    "{% frame %}",
    "{{ 1 + 1 }}",
    "{{ }}",
    "{% macro x() %}{% endmacro %}",
    "<b>open",
    "open</b>",
    "<a>link</a>",
    "x" * 9000,
)


@pytest.mark.parametrize("source", TEMPLATES)
def test_a_broken_template_says_why_in_chinese(source: str) -> None:
    found = list(problems(MessageContent({"en": source})))
    assert found
    assert untold((problem.text, problem.place) for problem in found) == {}
    assert untold((f"{item.place}, line {item.line}: {item.text}", item.place) for item in found) == {}


def test_what_people_wrote_stays_as_it_is() -> None:
    assert say("The webhook Points failed for a day and is disabled; mend it, enable it, replay.").startswith(
        "Webhook Points "
    )
    hostile = "<b>{name} {path}\\1</b>"
    assert hostile in say(f"there is no coupon {hostile}")
    assert say("x" * 5000 + ": y") == "x" * 5000 + ": y"
    assert say("Nobody ever wrote this") == "Nobody ever wrote this"


def test_places_are_named_once_and_parted_by_words() -> None:
    for template in composed.templates(catalogue("zh-CN")):
        assert all(template.pieces[1:-1]), template
    for sentence in catalogue("zh-CN"):
        places = re.findall(r"\{\w+\}", sentence)
        assert len(places) == len(set(places)), sentence
