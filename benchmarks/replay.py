"""Records the statements of one run and has pgbench drive the same ones bare, with other numbers each time."""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db.session import Sessions
from runtime.embedded.binaries import find_binary

_PLACEHOLDER = re.compile(r"\$(\d+)")
_TPS = re.compile(r"tps = ([\d.]+) \(without initial connection time\)")


@dataclass(frozen=True)
class Statement:
    """One statement as the driver sent it."""

    text: str
    values: Sequence[Any]


async def record(sessions: Sessions, work: Callable[[], Awaitable[Any]]) -> list[Statement]:
    """What goes to the driver while `work` runs, BEGIN and COMMIT included."""
    engine = sessions.kw["bind"]
    assert isinstance(engine, AsyncEngine)
    seen: list[Statement] = []

    def executed(_: Any, __: Any, statement: str, parameters: Any, ___: Any, executemany: bool) -> None:
        sets = parameters if executemany else [parameters]
        seen.extend(Statement(statement, tuple(values or ())) for values in sets)

    def mark(word: str) -> Callable[[Any], None]:
        return lambda _: seen.append(Statement(word, ()))

    listeners: list[tuple[str, Callable[..., Any]]] = [
        ("before_cursor_execute", executed),
        ("begin", mark("BEGIN")),
        ("commit", mark("COMMIT")),
        ("rollback", mark("ROLLBACK")),
    ]
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    await work()
    for name, listener in listeners:
        event.remove(engine.sync_engine, name, listener)
    return seen


async def run_pgbench(
    url: str,
    statements: Sequence[Statement],
    numbers: Mapping[str, int],
    *,
    found: Mapping[int, str],
    clients: int,
    each: int,
    ahead: int,
) -> float:
    """Transactions a second.

    Wherever a number of `numbers` stood in the recorded run, another one stands each time, beginning `ahead` of it;
    a number of `found` is one that the run was told by the database: an expression stands for it.
    """
    pgbench = find_binary("pgbench")
    if pgbench is None:
        raise RuntimeError("pgbench is missing; install Debian's postgresql-contrib")
    script = _script(_Writer(numbers, found), statements, numbers, ahead, each)
    parts = urlsplit(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.sql"
        path.write_text(script)
        process = await asyncio.create_subprocess_exec(
            str(pgbench), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each), "-D", "i=0",
            "-f", str(path), "-h", parts.hostname or "", "-p", str(parts.port), "-U", parts.username or "",
            parts.path.lstrip("/"),
            env={"PGPASSWORD": unquote(parts.password or ""), "PGTZ": "UTC"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await process.communicate()
    told = _TPS.search(out.decode())
    if process.returncode != 0 or told is None or "ERROR" in errors.decode():
        raise RuntimeError(f"pgbench failed: {errors.decode()[-2000:]}")
    return float(told[1])


def _script(
    writer: "_Writer", statements: Sequence[Statement], numbers: Mapping[str, int], ahead: int, each: int
) -> str:
    lines = [r"\set i :i + 1"]
    lines += [rf"\set {name} {base + ahead} + :client_id * {each} + :i" for name, base in numbers.items()]
    lines += [writer.line(statement) for statement in statements]
    return "\n".join(lines) + "\n"


class _Writer:
    """Writes statements with their values inside; known numbers as variables, known UUIDs as derived from them."""

    def __init__(self, numbers: Mapping[str, int], found: Mapping[int, str]) -> None:
        self._found = found
        self._numbers = {base: f":{name}" for name, base in numbers.items()}
        self._root = f"(:{next(iter(numbers))})::text"
        self._uuids: dict[UUID, str] = {}

    def line(self, statement: Statement) -> str:
        """One statement on one line."""
        body = _PLACEHOLDER.sub(lambda match: self.literal(statement.values[int(match[1]) - 1]), statement.text)
        return " ".join(body.split()).rstrip(";") + ";"

    def literal(self, value: Any) -> str:
        """`value` as SQL."""
        if isinstance(value, int) and value in self._numbers:
            return f"({self._numbers[value]})::bigint"
        if isinstance(value, int) and not isinstance(value, bool) and value in self._found:
            return self._found[value]
        if isinstance(value, list | tuple):
            return f"ARRAY[{', '.join(self.literal(item) for item in value)}]"
        if isinstance(value, UUID):
            return self._derived(value)
        for kind, write in _PLAIN:
            if isinstance(value, kind):
                return write(value)
        return self._text(str(value))

    def _derived(self, value: UUID) -> str:
        name = self._uuids.setdefault(value, f"k{len(self._uuids)}")
        return f"md5({self._root} || '{name}')::uuid"

    def _text(self, value: str) -> str:
        """A text in which numbers and UUIDs of the run may stand, as a concatenation."""
        known = {str(base): f"({name})::text" for base, name in self._numbers.items()}
        known |= {str(found): f"{self._derived(found)}::text" for found in self._uuids}
        quoted = value.replace("'", "''").replace("\n", " ")
        pattern = re.compile("|".join(re.escape(item) for item in sorted(known, key=len, reverse=True)))
        pieces, at = [], 0
        for match in pattern.finditer(quoted):
            pieces += [f"'{quoted[at : match.start()]}'", known[match.group()]]
            at = match.end()
        pieces.append(f"'{quoted[at:]}'")
        return f"({' || '.join(pieces)})"


_PLAIN: Sequence[tuple[type, Callable[[Any], str]]] = (
    (type(None), lambda _: "NULL"),
    (bool, lambda value: "true" if value else "false"),
    (bytes, lambda value: f"'\\x{value.hex()}'::bytea"),
    (datetime, lambda value: f"'{value.isoformat()}'::timestamptz"),
    (date, lambda value: f"'{value.isoformat()}'::date"),
    (timedelta, lambda value: f"'{value.total_seconds()} seconds'::interval"),
    (int, str),
    (float, str),
    (Decimal, str),
)
