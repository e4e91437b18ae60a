"""Tables partitioned by month: made in migrations, kept three months ahead by a job."""

from datetime import date

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

MONTHS_AHEAD = 3

CREATE_FUNCTION = """
CREATE OR REPLACE FUNCTION siyu_make_partitions(parent text, from_month date, months int) RETURNS int
LANGUAGE plpgsql SET timezone TO 'UTC' AS $$
DECLARE
    month date := date_trunc('month', from_month)::date;
    made int := 0;
    name text;
BEGIN
    FOR step IN 0..months LOOP
        name := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(quote_ident(name)) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                               name, parent, month, (month + interval '1 month')::date);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                RAISE NOTICE 'rows of % are in the default partition already', name;
            END;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END $$
"""


_MONTHS_AHEAD = text("""
SELECT min(ahead) FROM (
    SELECT count(child.relname) FILTER (
        WHERE child.relname > parent.relname || '_' || to_char(CAST(:today AS date), 'YYYYMM')
        AND child.relname ~ '_[0-9]{6}$'
    ) AS ahead
    FROM pg_partitioned_table p JOIN pg_class parent ON parent.oid = p.partrelid
    LEFT JOIN pg_inherits i ON i.inhparent = parent.oid LEFT JOIN pg_class child ON child.oid = i.inhrelid
    WHERE parent.relnamespace = current_schema()::regnamespace GROUP BY parent.oid
) AS tables
""")


def attach_partitions(connection: Connection, parent: str) -> None:
    """In a migration: give `parent` its default partition and those from this month on."""
    connection.execute(text(f'CREATE TABLE "{parent}_default" PARTITION OF "{parent}" DEFAULT'))
    connection.execute(
        text("SELECT siyu_make_partitions(:parent, siyu_now()::date, :months)"),
        {"parent": parent, "months": MONTHS_AHEAD},
    )


async def keep_ahead(session: AsyncSession, today: date) -> int:
    """Make the partitions of the coming months for every partitioned table; answers how many were made.

    A month whose rows already went to the default partition is left there: they stay readable.
    """
    parents = await session.scalars(
        text(
            "SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid"
            " WHERE c.relnamespace = current_schema()::regnamespace ORDER BY 1"
        )
    )
    made = 0
    for parent in parents.all():
        found = await session.execute(
            text("SELECT siyu_make_partitions(:parent, :today, :months)"),
            {"parent": parent, "today": today, "months": MONTHS_AHEAD},
        )
        made += found.scalar_one()
    return made


async def months_ahead(session: AsyncSession, today: date) -> int:
    """For how many months after this one every partitioned table has a partition of its own."""
    return int((await session.execute(_MONTHS_AHEAD, {"today": today})).scalar_one() or 0)
