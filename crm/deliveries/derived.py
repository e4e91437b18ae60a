"""The derived tables of the migration, as selectables: the latest result and the state of each delivery."""

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid

_VIEWS = MetaData()
_TIME = DateTime(timezone=True)

LATEST = Table(
    "delivery_latest",
    _VIEWS,
    Column("source_month", Date),
    Column("chunk_id", BigInteger),
    Column("delivery_id", Uuid),
    Column("identity_id", BigInteger),
    Column("fence", Integer),
    Column("outcome", Text),
    Column("reason", Text),
    Column("detail", Text),
    Column("provider_ref", Text),
    Column("not_before", _TIME),
    Column("at", _TIME),
    Column("tries", Integer),
    Column("doubts", Integer),
)
STATES = Table(
    "delivery_states",
    _VIEWS,
    Column("delivery_id", Uuid),
    Column("source_kind", Text),
    Column("source_id", Text),
    Column("source_month", Date),
    Column("member_id", BigInteger),
    Column("step", SmallInteger),
    Column("chunk_id", BigInteger),
    Column("identity_id", BigInteger),
    Column("reason", Text),
    Column("detail", Text),
    Column("provider_ref", Text),
    Column("at", _TIME),
    Column("not_before", _TIME),
    Column("attempts", Integer),
    Column("state", Text),
)
