"""Condition: how often, how much and how lately a member bought."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Scope
from crm.kit.windows import Window
from crm.orders.types import OrderStatus
from crm.orders.views import orders as view

Paid = tuple[datetime, Decimal]
"""When an order was placed, and its amount."""


class OrdersParameters(Window):
    """What is measured of paid orders, its bounds, and the window that the orders lie in.

    `recency` asks when the last order was, so it takes the window alone.
    """

    measure: Literal["count", "amount", "recency"] = Field(default="count", title="Measure")
    at_least: Decimal | None = Field(default=None, ge=0, lt=10**15, decimal_places=4, title="At least")
    at_most: Decimal | None = Field(default=None, ge=0, lt=10**15, decimal_places=4, title="At most")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        has_bounds = self.at_least is not None or self.at_most is not None
        has_window = self.within_days is not None or self.more_than_days_ago is not None
        if self.measure == "recency" and (has_bounds or not has_window):
            raise ValueError("recency takes within_days or more_than_days_ago, and no bounds")
        if self.measure != "recency" and not has_bounds:
            raise ValueError(f"{self.measure} needs at_least or at_most")
        return self


class OrdersCondition:
    """Members by their paid orders."""

    name = "orders"
    label = "Orders"
    group = "Purchases"
    parameters = OrdersParameters

    def predicate(self, parameters: OrdersParameters, scope: Scope) -> ColumnElement[bool]:
        """Tests on the profile; with a window, a semi-join with orders grouped by member."""
        if parameters.measure == "recency":
            return parameters.holds(scope.profile.c.last_order_at, scope.now)
        if parameters.within_days is None and parameters.more_than_days_ago is None:
            columns = scope.profile.c
            return _bounds(parameters, columns.orders_count if parameters.measure == "count" else columns.orders_total)
        return _in_window(parameters, scope)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, list[Paid]]:
        """The paid orders of each member."""
        paid = sa.select(view.c.member_id, view.c.placed_at, view.c.amount).where(view.c.status == OrderStatus.PAID)
        found: dict[int, list[Paid]] = defaultdict(list)
        for member_id, placed_at, amount in await session.execute(paid.where(view.c.member_id.in_(member_ids))):
            found[member_id].append((placed_at, amount))
        return found

    def matches(self, parameters: OrdersParameters, fact: list[Paid] | None, now: datetime) -> bool:
        """The same in plain Python."""
        paid = fact or []
        if parameters.measure == "recency":
            return parameters.holds_for(max((placed_at for placed_at, _ in paid), default=None), now)
        amounts = [amount for placed_at, amount in paid if parameters.holds_for(placed_at, now)]
        value = Decimal(len(amounts)) if parameters.measure == "count" else sum(amounts, Decimal(0))
        is_enough = parameters.at_least is None or value >= parameters.at_least
        return is_enough and (parameters.at_most is None or value <= parameters.at_most)


def _bounds(parameters: OrdersParameters, value: ColumnElement[Any]) -> ColumnElement[bool]:
    tests: list[ColumnElement[bool]] = []
    if parameters.at_least is not None:
        tests.append(value >= parameters.at_least)
    if parameters.at_most is not None:
        tests.append(value <= parameters.at_most)
    return sa.and_(*tests)


def _in_window(parameters: OrdersParameters, scope: Scope) -> ColumnElement[bool]:
    """Who bought nothing in the window is in no group, yet measures 0: so they are added when 0 will do."""
    value: ColumnElement[Any] = sa.func.count() if parameters.measure == "count" else sa.func.sum(view.c.amount)
    is_counted = (view.c.status == OrderStatus.PAID, parameters.holds(view.c.placed_at, scope.now))
    buyers = sa.select(view.c.member_id).where(*is_counted).group_by(view.c.member_id)
    if parameters.at_least:
        return scope.member_id.in_(buyers.having(_bounds(parameters, value)))
    if parameters.at_most is None:
        return sa.true()
    return scope.member_id.not_in(buyers.having(value > parameters.at_most))


orders = OrdersCondition()
