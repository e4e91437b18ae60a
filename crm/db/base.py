"""The declarative base, naming of constraints, and the column types that models share."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Uuid, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
"""A surrogate key that PostgreSQL numbers."""
Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""An aware time."""
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.siyu_now())]
"""When the row was made, by the database's business clock."""
EventId = Annotated[UUID, mapped_column(Uuid, primary_key=True)]


class Base(DeclarativeBase):
    """Base of every model."""

    metadata = MetaData(naming_convention=NAMING)
