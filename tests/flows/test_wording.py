"""What members read fits the number, and names every reason for which points move, in both languages."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import crm
from crm.kit.resources import TEMPLATES
from crm.messages.environment import shipped
from crm.messages.flow_texts import render_shipped
from crm.points.kinds import kinds
from crm.points.types import EntryKind

_ENGLISH = sorted((TEMPLATES / "messages" / "en").glob("*.j2"))
_COUNTED = re.compile(r"\{\{ ?([^{}]+?) ?\}\}(?:</?\w+>)* +(?:more |of |extra |make-up |missed |draw )?([a-z-]+s)\b")
_NO_PLURALS = {"is", "was", "has", "does", "times", "as", "this", "yes", "upwards"}
_NO_NUMBERS = ("localized", "plural", "default", "truncate", "|day", "|date", "|month", "|money", "if ", "name")
_MANY = re.compile(r"\b1(?:</?\w+>)* (?:more )?([a-z-]+s)\b")
_CODE = re.compile(r"^[a-z]+(_[a-z]+)*$")
_BRANCH = re.compile(r"\{%.*?%\}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_MOVES = re.compile(r"\bpoints\.(earn|redeem|adjust|reverse)$|\bpending\.earn$|\bLine$")


def counted_words(source: str) -> list[str]:
    """Plurals that stand behind a number whatever it is."""
    found = _COUNTED.findall(_BRANCH.sub("", source))
    return [
        f"{value} {word}"
        for value, word in found
        if word not in _NO_PLURALS and not any(part in value for part in _NO_NUMBERS)
    ]


@pytest.mark.parametrize("path", _ENGLISH, ids=lambda path: path.stem)
def test_no_word_is_plural_whatever_the_number(path: Path) -> None:
    assert counted_words(path.read_text("utf-8")) == []


def test_a_plural_behind_a_number_would_be_found() -> None:
    assert counted_words("You have <b>{{ points|number }}</b> points.") == ["points|number points"]
    assert counted_words("{% if x %}{{ line.points|number }} points{% endif %}") == ["line.points|number points"]
    assert counted_words('{{ points }} {{ points|plural("point", "points") }}, {{ name|localized }} has') == []


@pytest.mark.parametrize("name", sorted(kinds()))
@pytest.mark.parametrize("number", [1, 2])
def test_ways_to_earn_fit_the_number(name: str, number: int) -> None:
    kind = kinds()[name]
    given = {"points": number, "per_amount": number, "event_name": "visit", "days": max(number, 2)}
    known = {key: value for key, value in given.items() if key in kind.parameters.model_fields}
    told = kind.explain(kind.parameters.model_validate(known), "en") or ""
    assert not set(_MANY.findall(told)) - _NO_PLURALS
    assert number == 1 or not told or "2 points" in told


def test_the_filter_follows_the_readers_language() -> None:
    source = '{{ n|plural("point", "points") }}'
    for locale, number, word in (
        ("en", 1, "point"),
        ("en", 0, "points"),
        ("en", 1.5, "points"),
        ("zh-CN", 1, "points"),
    ):
        assert shipped(locale).from_string(source).render(n=number, locale=locale) == word


def codes() -> Iterator[str]:
    """Every code that stands as the reason of a movement of points: kinds of rules, and what the code hands over."""
    yield from kinds()
    for path in sorted(Path(crm.__file__).parent.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if not re.search(
                r"\bpoints\.(earn|redeem|adjust|reverse)$|\bpending\.earn$|\bLine$", ast.unparse(call.func)
            ):
                continue
            for word in (word for word in call.keywords if word.arg in {"rule", "reason"}):
                value = named.get(ast.unparse(word.value), getattr(word.value, "value", None))
                if isinstance(value, str) and _CODE.match(value):
                    yield value


def line(locale: str, kind: EntryKind, reason: str) -> str:
    """How the statement tells one movement."""
    entry = {"on": date(2026, 3, 1), "points": 5, "kind": kind.value, "reason": reason}
    values = {"balance": 5, "debt": 0, "pending": [], "held": 0, "expiring": [], "entries": [entry], "ways": []}
    values |= {"tier_next": None}
    told = render_shipped("points/summary", locale, values)
    return next(part for part in told.splitlines() if "+5" in part).partition("+5")[2].strip()


def test_every_reason_is_told_in_both_languages() -> None:
    found = sorted(set(codes()) - {"manual", "merge"})  # told by name, and by kind
    assert {"referral", "check_in", "streak", "order_rate", "custom_event"} <= set(found)
    for code in found:
        english, chinese = line("en", EntryKind.EARN, code), line("zh-CN", EntryKind.EARN, code)
        assert english
        assert "_" not in english
        assert _CHINESE.search(chinese), code


@pytest.mark.parametrize("kind", list(EntryKind))
def test_every_kind_of_movement_is_told_in_both_languages(kind: EntryKind) -> None:
    reason = {"expire": "expired", "merge": "merge undone", "claw_back": "refund of order 7"}.get(kind.value, "")
    assert _CHINESE.search(line("zh-CN", kind, reason))
    assert not _CHINESE.search(line("en", kind, reason))
    assert line("en", kind, reason) not in {"merge undone", "refund of order 7"}
