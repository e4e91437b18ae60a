"""Points for money spent."""

from decimal import ROUND_FLOOR, Decimal
from typing import ClassVar

from pydantic import Field

from crm.events.catalogue import OrderPlaced
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.points.prices import priced
from crm.points.types import MAX_POINTS
from crm.profiles.types import Profile


class OrderRateParameters(PointsParameters):
    """So many points per amount of money."""

    is_multiplied: ClassVar[bool] = True

    per_amount: Decimal = Field(gt=0, le=1_000_000, decimal_places=2, description="Amount that earns the points.")
    currency: str = Field("CNY", pattern="^[A-Z]{3}$", description="Orders in other currencies earn nothing.")
    most_points: int | None = Field(None, ge=1, le=MAX_POINTS, description="The most that one order can earn.")


class OrderRate:
    """Points in proportion to the net amount paid, times the member's multiplier, rounded down once at the end."""

    name = "order_rate"
    label = "Points per order amount"
    event = OrderPlaced
    parameters = OrderRateParameters

    def points(self, parameters: OrderRateParameters, event: OrderPlaced, profile: Profile) -> int:
        """floor(amount * points * multiplier / per_amount), capped."""
        if event.currency != parameters.currency or event.amount <= 0:
            return 0
        exact = event.amount * parameters.points * profile.multiplier / parameters.per_amount
        return min(int(exact.to_integral_value(ROUND_FLOOR)), parameters.most_points or MAX_POINTS)

    def explain(self, parameters: OrderRateParameters, locale: str) -> str:
        """The rate in words."""
        amount = priced(parameters.per_amount, parameters.currency, locale)
        if locale == "zh-CN":
            return f"每消费 {amount}，得 {parameters.points} 积分"
        return f"For every {amount} you spend: {counted(parameters.points, 'point')}"


order_rate = OrderRate()
