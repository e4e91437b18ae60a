"""Points for what was bought: a rate, a least amount, and which goods count."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Any

from pydantic import Field

from crm.events.catalogue import OrderPlaced
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.points.prices import priced
from crm.points.types import MAX_POINTS
from crm.profiles.types import Profile

Named = Annotated[str, Field(min_length=1, max_length=128)]
_MOST = 200


class PurchaseParameters(PointsParameters):
    """So many points per amount of money spent on the goods that count."""

    per_amount: Decimal = Field(gt=0, le=1_000_000, decimal_places=2, description="Amount that earns the points.")
    currency: str = Field("CNY", pattern="^[A-Z]{3}$", description="Orders in other currencies earn nothing.")
    least_amount: Decimal = Field(
        Decimal(0), ge=0, le=1_000_000, decimal_places=2, description="What counts must come to this at least."
    )
    categories: list[Named] = Field([], max_length=_MOST, description="Only goods of these categories; empty: all.")
    skus: list[Named] = Field([], max_length=_MOST, description="Only these article numbers; empty: all.")
    excluded_categories: list[Named] = Field([], max_length=_MOST, description="Not goods of these categories.")
    excluded_skus: list[Named] = Field([], max_length=_MOST, description="Not these article numbers.")
    most_points: int | None = Field(None, ge=1, le=MAX_POINTS, description="The most that one order can earn.")


class Purchase:
    """Points in proportion to what was paid for the goods that count; a coupon lowers all goods alike."""

    name = "purchase"
    label = "Purchase of certain goods"
    event = OrderPlaced
    parameters = PurchaseParameters

    def points(self, parameters: PurchaseParameters, event: OrderPlaced, profile: Profile) -> int:
        """floor(what counts * points / per_amount), nothing below the least amount."""
        del profile
        paid = counting(parameters, event)
        if event.currency != parameters.currency or paid <= 0 or paid < parameters.least_amount:
            return 0
        exact = paid * parameters.points / parameters.per_amount
        return min(int(exact.to_integral_value(ROUND_FLOOR)), parameters.most_points or MAX_POINTS)

    def explain(self, parameters: PurchaseParameters, locale: str) -> str:
        """The rate in words."""
        amount = priced(parameters.per_amount, parameters.currency, locale)
        lowest = priced(parameters.least_amount, parameters.currency, locale)
        goods = ", ".join(parameters.categories)[:100]
        if locale == "zh-CN":
            only = f"购买{goods}，" if goods else ""
            least = f"（满 {lowest}）" if parameters.least_amount else ""
            return f"{only}每消费 {amount}{least}，得 {parameters.points} 积分"
        only = f" on {goods}" if goods else ""
        least = f" (from {lowest} on)" if parameters.least_amount else ""
        return f"For every {amount} you spend{only}{least}: {counted(parameters.points, 'point')}"


def counting(parameters: PurchaseParameters, event: OrderPlaced) -> Decimal:
    """What was paid, after coupons, for the goods that count; all of it when nothing limits them.

    Goods without a price share in nothing. An order without goods counts whole, unless certain goods are wanted.
    """
    wants = bool(parameters.categories or parameters.skus)
    if not wants and not (parameters.excluded_categories or parameters.excluded_skus):
        return event.amount
    if not event.items:
        return Decimal(0) if wants else event.amount
    whole = sum((_price(item) for item in event.items), Decimal(0))
    if whole <= 0:
        return event.amount if all(_counts(parameters, item) for item in event.items) else Decimal(0)
    ours = sum((_price(item) for item in event.items if _counts(parameters, item)), Decimal(0))
    return event.amount * ours / whole


def _counts(parameters: PurchaseParameters, item: Mapping[str, Any]) -> bool:
    category, sku = item.get("category") or "", item.get("sku") or ""
    if category in parameters.excluded_categories or sku in parameters.excluded_skus:
        return False
    return not (parameters.categories or parameters.skus) or category in parameters.categories or sku in parameters.skus


def _price(item: Mapping[str, Any]) -> Decimal:
    return Decimal(str(item.get("amount") or 0)) * int(item.get("quantity") or 1)


purchase = Purchase()
