"""Tables of orders, partitioned by the month they were placed in, and of the keys that make them unique."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, CreatedAt


class OrderRow(Base):
    """One order."""

    __tablename__ = "orders"
    __table_args__ = (
        Index(None, "member_id", "placed_at"),
        Index(None, "placed_at"),
        {"postgresql_partition_by": "RANGE (placed_at)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    currency: Mapped[str] = mapped_column(Text)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    status: Mapped[str] = mapped_column(Text)
    refunded: Mapped[Decimal] = mapped_column(Numeric(18, 2), server_default="0")
    refunds: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    """Each return of money: key, amount, at."""
    created_at: Mapped[CreatedAt]


class OrderKeyRow(Base):
    """What makes an order unique, since a partitioned table cannot; it also numbers the orders."""

    __tablename__ = "order_keys"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigInteger, Identity(always=False))
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
