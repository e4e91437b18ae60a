"""The earning rules that a new deployment starts with; operators change or switch them off."""

from typing import Any

SHIPPED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sign_up": ("sign_up", "Sign-up bonus", {"points": 100}),
    "check_in": ("check_in", "Daily check-in", {"points": 5}),
    "streak_7": ("streak", "Seven days in a row", {"days": 7, "points": 30}),
    "streak_30": ("streak", "Thirty days in a row", {"days": 30, "points": 200}),
    "survey": ("survey", "Survey completed", {"points": 20}),
    "order_rate": ("order_rate", "Points for orders", {"per_amount": 100, "points": 10, "currency": "CNY"}),
}
"""By key: kind, name, parameters."""

SHIPPED_NAMES = frozenset(name for _kind, name, _parameters in SHIPPED.values())
"""What the rules are called until somebody renames them."""
