"""What a bulk sender must not load: there may be many of them, and each module is memory in every one."""

import subprocess
import sys

NEVER = {
    "aiogram": "a bot framework; messages go over a lean wire",
    "aiohttp": "only an upload needs it, and the first one loads it",
    "alembic": "the schema is migrated by a command of its own",
    "apscheduler": "the scheduler's",
    "cel": "formulas of the ledger are worked out by workers",
    "fastapi": "the API's",
    "opentelemetry": "redis would load it where it happens to be installed",
    "pgqueuer": "only who queues a job needs it",
    "phonenumbers": "numbers were checked when they came in",
    "PIL": "pictures were drawn when they came in",
    "pydantic": "what is stored was validated when it came in; settings are read in a copy of the process",
    "pydantic_settings": "the same",
    "pygments": "colours of tracebacks that are never shown",
    "rich": "the same",
    "segno": "QR codes are drawn by who makes vouchers",
    "starlette": "the API's",
    "typer": "the tree of commands",
    "uvicorn": "the API's",
    "crm.analytics": "models and queries of the console",
    "crm.operators": "the console's",
    "crm.points": "the ledger is written by others; balances are read from profiles",
    "crm.segments": "audiences are made before anything is sent",
    "crm.webhooks": "handed on by workers",
    "flows.engine.engine": "conversations are held elsewhere",
    "runtime.embedded": "its servers are given by address",
}
"""Packages, and why a sender does without."""

PROGRAM = """
import sys
from crm.kit.parts import load_part
from runtime.cli import main
from runtime.lean import SENDER, plain_libraries
with plain_libraries():
    load_part("runtime.outline:understood")
    load_part("runtime.failures:run")
    load_part(SENDER)
    discover = load_part("runtime.channels:discover_channels")
    for manifest in discover().values():
        load_part(manifest.sender)
print("\\n".join(sorted(name for name, module in sys.modules.items() if module is not None)))
"""
"""What `siyu sender` loads before its first message."""
_ERRORS_ONLY = {"runtime.embedded": {"runtime.embedded", "runtime.embedded.errors"}}
"""What is told apart by its name: the classes alone."""


def test_a_sender_loads_nothing_that_it_does_not_use() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    loaded = done.stdout.split()
    assert "crm.deliveries.sending" in loaded
    guilty = {
        package: sorted(name for name in loaded if name == package or name.startswith(f"{package}."))
        for package in NEVER
    }
    assert {package: names for package, names in guilty.items() if set(names) - _ERRORS_ONLY.get(package, set())} == {}
