"""Which processes load a bot framework: only those that read updates."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from crm.kit.parts import load_part
from runtime.channels import discover_channels
for manifest in discover_channels().values():
    for part in sys.argv[1:]:
        if getattr(manifest, part):
            load_part(getattr(manifest, part))
print(sorted(name for name in ("aiogram", "telegram", "fastapi") if name in sys.modules))
"""


def _loaded(*parts: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *parts], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("parts", "loaded"),
    [
        (["sender"], "[]"),
        (["sender", "poller", "start", "check_token"], "[]"),
        (["router"], "['fastapi']"),
        (["inbound"], "['aiogram']"),
    ],
)
def test_only_the_adapter_loads_the_framework(parts: list[str], loaded: str) -> None:
    assert _loaded(*parts) == loaded
