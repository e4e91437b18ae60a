"""A capability's tables and queries are its own: others use its services, its values and its views."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = {"models", "repository"}
_PACKAGES = ("crm", "flows", "bot", "admin_api", "runtime")


def _modules(tree: ast.AST, package: list[str]) -> Iterator[list[str]]:
    """The path of every module and name that is imported; relative imports resolved against `package`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module or "").split(".")] if node.module else base
            yield from ([*module, alias.name] for alias in node.names)


def reaches(source: str, place: Path) -> list[str]:
    """What the file at `place` imports of another capability's private modules."""
    own = list(place.parent.parts)
    found = []
    for path in _modules(ast.parse(source), own):
        is_private = path[0] == "crm" and len(path) > 2 and path[2] in PRIVATE
        if is_private and own[:2] != path[:2]:
            found.append(".".join(path[:3]))
    return found


@pytest.mark.parametrize("package", _PACKAGES)
def test_nobody_reaches_into_another_capability(package: str) -> None:
    places = [path.relative_to(ROOT) for path in sorted((ROOT / package).rglob("*.py"))]
    assert places
    guilty = {str(place): reaches((ROOT / place).read_text("utf-8"), place) for place in places if not _may(place)}
    assert {place: names for place, names in guilty.items() if names} == {}


def _may(place: Path) -> bool:
    """Migrations compare every model with the database."""
    return place.parts[:2] == ("crm", "migrations")


def test_a_reach_is_noticed() -> None:
    place = Path("crm/campaigns/service.py")
    assert reaches("from crm.points.models import EntryRow", place) == ["crm.points.models"]
    assert reaches("import crm.points.repository", place) == ["crm.points.repository"]
    assert reaches("from crm.points import repository", place) == ["crm.points.repository"]
    assert reaches("from ..points import models", place) == ["crm.points.models"]
    assert reaches("from crm.campaigns.models import CampaignRow\nfrom . import repository", place) == []
    assert reaches("from crm.points.views import balances", place) == []
