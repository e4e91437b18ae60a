"""How long points last: months, ends of periods, a fixed day, for ever; in the brand's zone."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from crm.points.validity import Validity

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("fields", "earned", "expires"),
    [
        ({}, "2026-01-31T10:00+08:00", None),
        ({"expires_after_months": 1}, "2026-01-31T10:00+08:00", "2026-02-28T10:00+08:00"),
        ({"expires_after_months": 12, "expires_round_to": "month"}, "2026-02-10T10:00+08:00", "2027-03-01T00:00+08:00"),
        (
            {"expires_after_months": 3, "expires_round_to": "quarter"},
            "2026-02-10T10:00+08:00",
            "2026-07-01T00:00+08:00",
        ),
        ({"expires_after_months": 12, "expires_round_to": "year"}, "2026-02-10T10:00+08:00", "2028-01-01T00:00+08:00"),
        ({"expires_after_months": 1, "expires_round_to": "month"}, "2026-03-31T16:30+00:00", "2026-06-01T00:00+08:00"),
        ({"expires_after_months": 1, "expires_round_to": "month"}, "2026-02-01T00:00+08:00", "2026-03-01T00:00+08:00"),
        ({"expires_on": "12-31"}, "2026-02-10T10:00+08:00", "2027-01-01T00:00+08:00"),
        ({"expires_on": "12-31"}, "2026-12-31T23:59+08:00", "2027-01-01T00:00+08:00"),
        ({"expires_on": "12-31"}, "2026-12-31T16:00+00:00", "2028-01-01T00:00+08:00"),
        ({"expires_on": "02-29"}, "2026-02-10T10:00+08:00", "2026-03-01T00:00+08:00"),
        ({"expires_on": "02-29"}, "2026-03-10T10:00+08:00", "2027-03-01T00:00+08:00"),
        ({"expires_on": "02-29"}, "2027-03-10T10:00+08:00", "2028-03-01T00:00+08:00"),
        ({"expires_on": "03-31", "expires_after_months": 6}, "2026-10-01T10:00+08:00", "2028-04-01T00:00+08:00"),
        ({"expires_on": "03-31", "expires_after_months": 6}, "2026-09-30T10:00+08:00", "2027-04-01T00:00+08:00"),
    ],
)
def test_points_run_out_when_it_says(fields: dict[str, Any], earned: str, expires: str | None) -> None:
    found = Validity(**fields).expires_at(datetime.fromisoformat(earned), SHANGHAI)
    assert found == (None if expires is None else datetime.fromisoformat(expires))


def test_pending_points_count_from_earning_or_from_activation() -> None:
    earned, active = (datetime.fromisoformat(f"2026-0{month}-15T10:00+08:00") for month in (1, 3))
    from_earning = Validity(expires_after_months=1)
    assert from_earning.expires_at(earned, SHANGHAI, active) == datetime.fromisoformat("2026-02-15T10:00+08:00")
    from_activation = Validity.model_validate({"expires_after_months": 1, "expiry_counts_from": "activation"})
    assert from_activation.expires_at(earned, SHANGHAI, active) == datetime.fromisoformat("2026-04-15T10:00+08:00")
    assert from_activation.expires_at(earned, SHANGHAI) == datetime.fromisoformat("2026-02-15T10:00+08:00")


def test_the_end_of_a_month_is_a_midnight_of_the_zone_also_across_a_clock_change() -> None:
    validity = Validity.model_validate({"expires_after_months": 1, "expires_round_to": "month"})
    found = validity.expires_at(datetime.fromisoformat("2026-02-10T10:00-05:00"), NEW_YORK)
    assert found == datetime.fromisoformat("2026-04-01T00:00-04:00")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"expires_after_months": 0}, "greater than or equal to 1"),
        ({"expires_after_months": 121}, "less than or equal to 120"),
        ({"expires_round_to": "month"}, "rounding needs a number of months"),
        ({"expires_round_to": "decade", "expires_after_months": 1}, "quarter"),
        ({"expires_on": "02-30"}, "no day 02-30"),
        ({"expires_on": "13-01"}, "pattern"),
        ({"expires_on": "12-31", "expires_after_months": 1, "expires_round_to": "month"}, "not both"),
        ({"expires_someday": 1}, "not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Validity.model_validate(fields)
