"""What texts about milestones are filled with."""

from collections.abc import Sequence
from typing import Any

from crm.check_ins.types import Gift


def of_gifts(gifts: Sequence[Gift]) -> list[dict[str, Any]]:
    """What was given, a line each."""
    return [
        {
            "days": gift.days,
            "points": gift.points,
            "has_coupon": gift.has_coupon,
            "cards": gift.cards,
            "badge": gift.badge,
        }
        for gift in gifts
    ]
