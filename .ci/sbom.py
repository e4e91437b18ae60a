# ruff: noqa: INP001 - a script that runs before anything is installed
"""Prints what Siyu is made of, as CycloneDX JSON, from the lock files: the same files give the same list.

Packages that run are `required`; those that only build the browser's files are `excluded` from what is delivered,
though parts of them end up in it. Needs nothing but Python.
"""

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
WANTED_BY = re.compile(r"#(?: via|  ) +([A-Za-z0-9][A-Za-z0-9._-]*)")


def python_packages(lock: str, own: str) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """(component, names of those that want it) for each package of a lock file of pip's."""
    starts = [found.start() for found in PINNED.finditer(lock)]
    for start, end in zip(starts, [*starts[1:], len(lock)], strict=True):
        entry = lock[start:end]
        name, version = PINNED.match(entry).groups()  # type: ignore[union-attr]  # it starts where the pattern matched
        purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
        hashes = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(entry)]
        component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "scope": "required"}
        wanted_by = [own if parent == "siyu" else parent for parent in WANTED_BY.findall(entry)]
        yield {**component, "hashes": hashes, "purl": purl}, wanted_by


def browser_packages(lock: str) -> Iterator[dict[str, Any]]:
    """A component for each package of npm's lock file."""
    for path, entry in json.loads(lock)["packages"].items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        algorithm, _, digest = entry["integrity"].partition("-")
        purl = f"pkg:npm/{name.replace('@', '%40', 1)}@{entry['version']}"
        hashes = [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}]
        component = {"type": "library", "bom-ref": purl, "name": name, "version": entry["version"], "scope": "excluded"}
        yield {**component, "hashes": hashes, "licenses": [{"license": {"name": entry["license"]}}], "purl": purl}


def bill() -> dict[str, Any]:
    """The whole list."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = f"pkg:pypi/siyu@{project['version']}"
    packages = list(python_packages((ROOT / "requirements.lock").read_text(), own))
    refs = {component["name"]: component["bom-ref"] for component, _ in packages} | {own: own}
    needs: dict[str, list[str]] = {ref: [] for ref in refs.values()}
    for component, wanted_by in packages:
        for parent in wanted_by:
            needs[refs[parent]].append(component["bom-ref"])
    browser = {one["bom-ref"]: one for one in browser_packages((ROOT / "frontend/package-lock.json").read_text())}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "siyu",
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": own,
            }
        },
        "components": [*(component for component, _ in packages), *browser.values()],
        "dependencies": [{"ref": ref, "dependsOn": sorted(children)} for ref, children in needs.items()],
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=2)
    sys.stdout.write("\n")
