"""What PostgreSQL reaches when pgbench drives it bare: no Python, nothing but the statement."""

import asyncio
import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runtime.embedded.binaries import find_binary

_TPS = re.compile(r"tps = ([\d.]+) \(without initial connection time\)")


async def run_pgbench(url: str, script: str, *, clients: int, seconds: int) -> float:
    """Transactions a second of `script`. Raises RuntimeError when pgbench is missing or a statement failed."""
    pgbench = find_binary("pgbench")
    if pgbench is None:
        raise RuntimeError("pgbench is missing; install Debian's postgresql-contrib")
    parts = urlsplit(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script)
        process = await asyncio.create_subprocess_exec(
            str(pgbench), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
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
