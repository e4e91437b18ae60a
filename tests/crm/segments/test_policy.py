"""Rules that can hardly be meant are pointed at; what is everyone is known by its form."""

from typing import Any

import pytest

from crm.segments import catalogue
from crm.segments.parser import parse
from crm.segments.policy import is_everyone, is_nobody, warnings

CONDITIONS = catalogue.discover()
VIP = {"condition": "tag", "tag": "vip"}
EN = {"condition": "language", "locale": "en"}
EVERYONE: dict[str, Any] = {"all": []}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (VIP, "some"),
        (EVERYONE, "everyone"),
        ({"all": [EVERYONE, EVERYONE]}, "everyone"),
        ({"all": [EVERYONE, VIP]}, "some"),
        ({"any": [VIP, EVERYONE]}, "everyone"),
        ({"any": [VIP, {"not": VIP}]}, "everyone"),
        ({"all": [VIP, {"not": VIP}]}, "nobody"),
        ({"all": [{"not": VIP}, {"not": {"not": VIP}}]}, "nobody"),
        ({"not": EVERYONE}, "nobody"),
        ({"not": {"not": EVERYONE}}, "everyone"),
        ({"not": {"all": [VIP, {"not": VIP}]}}, "everyone"),
        ({"any": [{"not": EVERYONE}]}, "nobody"),
        ({"any": [{"not": EVERYONE}, EN]}, "some"),
        ({"all": [VIP, {"not": EN}]}, "some"),
    ],
)
def test_everyone_and_nobody_are_known_by_form(source: Any, expected: str) -> None:
    rule = parse(source, CONDITIONS)
    assert (is_everyone(rule), is_nobody(rule)) == (expected == "everyone", expected == "nobody")


@pytest.mark.parametrize(
    ("source", "path", "word"),
    [
        ({"all": [VIP, {"not": VIP}]}, "rule.all", "nobody"),
        ({"any": [VIP, {"not": VIP}]}, "rule.any", "everyone"),
        ({"any": [EN, {"all": [EN, VIP, {"not": VIP}]}]}, "rule.any.1.all", "nobody"),
        ({"not": EVERYONE}, "rule.not", "Nobody"),
        ({"all": [VIP, {"not": {"not": EVERYONE}}]}, "rule.all.1.not.not", "Nobody"),
    ],
)
def test_what_can_hardly_be_meant_is_warned_of(source: Any, path: str, word: str) -> None:
    found = {warning.path: warning.text for warning in warnings(parse(source, CONDITIONS))}
    assert word in found[path]


def test_plain_rules_are_not_warned_of() -> None:
    for source in (VIP, EVERYONE, {"all": [VIP, {"not": EN}]}, {"any": [VIP, EN]}):
        assert list(warnings(parse(source, CONDITIONS))) == []
