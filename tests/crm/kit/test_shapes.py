"""Dataclasses from stored JSON values, exactly as the validating library reads and writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import TypeAdapter

from crm.brand import service as brands
from crm.brand.types import FrequencyCap, QuietHours
from crm.kit.shapes import plain, read
from crm.messages.types import Button, ButtonSpec, MessageContent, Outbound, Request


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    at: time
    ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner | None
    colour: Colour
    many: list[Inner] = field(default_factory=list)
    by_name: Mapping[str, Inner] = field(default_factory=dict)
    price: Decimal | None = None
    day: date | None = None
    moment: datetime | None = None
    anything: Any = None


ID = UUID(int=7)
NIGHT = Inner(time(22, 30), (ID, ID))
VALUES: list[Any] = [
    Outer(None, Colour.RED),
    Outer(NIGHT, Colour.RED, [NIGHT], {"a": NIGHT}, Decimal("1.50"), date(2026, 2, 3), anything={"x": [1, None]}),
    Outbound("<b>x</b>"),
    Outbound("x", ((Button("a", "1:c"), Button("b", url="https://x.example")),), ID, (("m",),), Request.CONTACT, "k"),
    MessageContent({"en": "x", "zh-CN": "中"}, [[ButtonSpec({"en": "a"}, opens="points", tag="t:1")], []], ID),
    brands.DEFAULT,
    FrequencyCap(2, 7),
    QuietHours(time(22), time(8)),
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type(value))
    said = plain(value)
    assert said == adapter.dump_python(value, mode="json")
    stored = orjson.loads(orjson.dumps(said))
    assert read(type(value), stored) == adapter.validate_python(stored) == value


def test_a_moment_keeps_its_zone() -> None:
    value = Outer(None, Colour.RED, moment=datetime(2026, 2, 3, 4, 5, tzinfo=UTC))
    assert read(Outer, orjson.loads(orjson.dumps(plain(value)))) == value


def test_defaults_stand_for_what_is_absent_and_strangers_are_ignored() -> None:
    assert read(Outer, {"inner": None, "colour": "red", "stranger": 1}) == Outer(None, Colour.RED)


@pytest.mark.parametrize("wrong", [{}, {"inner": None, "colour": "blue"}, {"inner": {"at": "x"}, "colour": "red"}])
def test_what_was_never_valid_raises(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        read(Outer, wrong)
