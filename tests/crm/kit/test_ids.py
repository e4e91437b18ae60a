"""Identifiers keep the order in which they were made."""

from datetime import UTC, datetime, timedelta

from crm.kit.ids import uuid7

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def test_ids_of_one_moment_keep_their_order_and_differ() -> None:
    made = [uuid7(MOMENT) for _ in range(1000)]
    assert sorted(made) == made
    assert len(set(made)) == 1000
    assert {(item.version, item.variant) for item in made} == {(7, "specified in RFC 4122")}


def test_a_later_moment_sorts_later() -> None:
    assert uuid7(MOMENT) < uuid7(MOMENT + timedelta(milliseconds=1))
