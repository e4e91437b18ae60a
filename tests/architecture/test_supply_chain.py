"""What is installed is what was locked, and the list of it is complete."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<pin>==[^\s\\;]+)?", re.MULTILINE)


def _entries(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text()
    starts = [found.start() for found in _ENTRY.finditer(text)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return {re.split(r"[=\s;]", part)[0].lower(): part for part in parts}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    entries = _entries(lock)
    assert len(entries) > 30
    loose = [name for name, part in entries.items() if not re.match(r"[\w.-]+==\S+ ", part)]
    unhashed = [name for name, part in entries.items() if "--hash=sha256:" not in part]
    assert (loose, unhashed) == ([], [])


@pytest.mark.parametrize("lock", [*LOCKS, "frontend/package-lock.json", "frontend/package.json", "Dockerfile"])
def test_no_lock_names_where_its_packages_come_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"--(?:extra-)?index-url|--find-links|--trusted-host|\"resolved\"| @ https?:", text) == []


def test_what_runs_is_the_same_in_every_lock() -> None:
    def pins(lock: str) -> dict[str, str]:
        return {name: part.split()[0] for name, part in _entries(lock).items()}

    running = pins("requirements.lock")
    for lock in LOCKS[1:]:
        both = {name: pin for name, pin in pins(lock).items() if name in running}
        assert both == {name: running[name] for name in both}


def test_every_package_of_the_browser_has_a_digest() -> None:
    packages = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    assert [path for path, entry in packages.items() if path and not entry.get("integrity")] == []


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    """The list as `make sbom` writes it."""
    made: dict[str, Any] = runpy.run_path(str(ROOT / ".ci/sbom.py"))["bill"]()
    return made


def test_the_bill_names_every_locked_package(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    names = {one["name"].lower() for one in bill["components"] if one["purl"].startswith("pkg:pypi/")}
    assert names == set(_entries("requirements.lock"))
    for one in bill["components"]:
        assert one["hashes"]
        assert all(re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{128}", digest["content"]) for digest in one["hashes"])


def test_the_bill_says_who_needs_what(bill: dict[str, Any]) -> None:
    own = bill["metadata"]["component"]["bom-ref"]
    needs = {one["ref"]: set(one["dependsOn"]) for one in bill["dependencies"]}
    refs = {one["bom-ref"] for one in bill["components"]} | {own}
    assert len(refs) == len(bill["components"]) + 1
    assert any(ref.startswith("pkg:pypi/aiogram@") for ref in needs[own])
    assert set().union(*needs.values()) <= refs
    reached, left = set(), [own]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += needs[ref]
    assert reached == set(needs)
