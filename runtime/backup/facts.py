"""The manifest of a backup: what the database held in the moment of the dump, to compare a restored one with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit import service as audit
from crm.points import service as points

from .errors import BackupDamaged

_TABLES = text("""
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
""")
_STATE = text(
    "SELECT clock_timestamp() AS made_at, current_schema() AS schema,"
    " current_setting('server_version_num')::int / 10000 AS server,"
    " (SELECT version_num FROM alembic_version) AS revision"
)


@dataclass(frozen=True)
class Heads:
    """The heads of the chains: equal heads mean an equal history."""

    ledger: str
    audit: str


@dataclass(frozen=True)
class Facts:
    """What is written at the beginning of every backup."""

    version: str
    """Of Siyu."""
    revision: str
    """Of the schema."""
    server: int
    """Major version of PostgreSQL."""
    schema: str
    made_at: datetime
    tables: Mapping[str, int]
    """Rows of each table."""
    heads: Heads


@dataclass(frozen=True)
class End:
    """What is written at the end: the digest and the length of the dump."""

    sha256: str
    size: int


FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)
END: TypeAdapter[End] = TypeAdapter(End)


async def gather(session: AsyncSession) -> Facts:
    """The facts as this transaction sees them."""
    state = (await session.execute(_STATE)).one()
    return Facts(
        version=_version(),
        revision=state.revision,
        server=state.server,
        schema=state.schema,
        made_at=state.made_at,
        tables=await count_tables(session),
        heads=await heads(session),
    )


def _version() -> str:
    try:
        return metadata.version("siyu")
    except metadata.PackageNotFoundError:
        return "run from its sources"


async def count_tables(session: AsyncSession) -> dict[str, int]:
    """Rows of every table of the database, by its qualified name."""
    return {name: await _count(session, name) for name in await session.scalars(_TABLES)}


async def _count(session: AsyncSession, name: str) -> int:
    """Quoted by PostgreSQL itself, which names its own table."""
    counted = await session.execute(text("SELECT count(*) FROM {table}".replace("{table}", name)))
    return int(counted.scalar_one())


async def heads(session: AsyncSession) -> Heads:
    """Where the ledger's chains and the audit log's stand."""
    return Heads(await points.chain_digest(session), await audit.head(session))


def read(data: bytes) -> Facts:
    """The facts as they were written. Raises BackupDamaged."""
    try:
        return FACTS.validate_json(data)
    except ValidationError as error:
        raise BackupDamaged("The backup's manifest cannot be read; use the version of Siyu that made it.") from error
