"""Orders that a shop reports."""

from decimal import Decimal
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, Id, Limit, Moment, PageOf, paged
from crm.operators.permissions import Permission
from crm.orders import refunds, service
from crm.orders.types import NewOrder, Order, OrderItem, OrderStatus, Refund

router = api_router("/api/v1/orders", "Orders")
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2, examples=["168.00"])]


class OrderLine(Body):
    """One line of an order."""

    name: Annotated[str, Field(min_length=1, max_length=500)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    amount: Amount | None = None
    sku: Annotated[str, Field(max_length=200)] | None = None
    category: Annotated[str, Field(max_length=200)] | None = None


class OrderReport(Body):
    """An order; `source` and `external_id` together identify it."""

    member_id: Id
    external_id: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(min_length=1, max_length=100, examples=["shop"])] = "api"
    amount: Amount
    currency: Annotated[str, Field(min_length=3, max_length=3, examples=["CNY"])]
    placed_at: Moment
    items: Annotated[list[OrderLine], Field(default_factory=list, max_length=500)]
    status: OrderStatus = OrderStatus.PAID


class OrderRefund(Body):
    """A return of money for an order that `source` and `external_id` identify."""

    external_id: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(min_length=1, max_length=100, examples=["shop"])] = "api"
    amount: Annotated[Amount | None, Field(description="Left out: all that is left of what was paid.")] = None
    key: Annotated[str, Field(min_length=1, max_length=128, description="Repeated, it has no second effect.")]


@router.get("", dependencies=[allow(Permission.ORDERS_READ)], name="order.list", summary="List orders")
async def list_orders(
    edge: EdgeOf,
    member_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageOf[Order]:
    """Newest first, of one member or of all."""
    page = await service.listing(edge.session, member_id=member_id, limit=limit, cursor=cursor)
    return paged(page, lambda order: order)


@router.post(
    "",
    dependencies=[allow(Permission.ORDERS_WRITE)],
    name="order.record",
    summary="Report an order",
    status_code=201,
    responses={200: {"model": Order, "description": "It was reported before."}},
)
async def record_order(edge: EdgeOf, body: OrderReport, response: Response) -> Order:
    """Recorded once by source and external id; a paid one counts in the profile and may earn points."""
    items = [OrderItem(line.name, line.quantity, line.amount, line.sku, line.category) for line in body.items]
    values = {name: getattr(body, name) for name in OrderReport.model_fields if name != "items"}
    order = await service.record(edge.session, NewOrder(**values, items=items))
    edge.note("order.record", f"order:{order.id}", after={"member_id": order.member_id, "is_new": order.is_new})
    response.status_code = 201 if order.is_new else 200
    return order


@router.post(
    "/refund",
    dependencies=[allow(Permission.ORDERS_WRITE)],
    name="order.refund",
    summary="Refund an order",
    status_code=201,
    responses={200: {"model": Refund, "description": "It was refunded with this key before."}},
)
async def refund_order(edge: EdgeOf, body: OrderRefund, response: Response) -> Refund:
    """Whole or in part; the profile's totals follow, and what the order earned is taken back in proportion."""
    made = await refunds.refund(edge.session, body.source, body.external_id, amount=body.amount, key=body.key)
    edge.note("order.refund", f"order:{made.order.id}", after={"amount": str(made.amount), "is_new": made.is_new})
    response.status_code = 201 if made.is_new else 200
    return made
