"""The reference is complete: what exists is listed, what is listed exists."""

import json
import re
import tomllib
from dataclasses import fields
from enum import Enum
from typing import Any

import pytest
import typer

from crm.config.settings import Settings
from crm.deliveries.types import DeliveryState
from crm.events.catalogue import CATALOGUE
from crm.operators.permissions import Permission
from crm.segments import catalogue, parser
from runtime.commands.tree import app

from .reading import fences, named, read, rows, section

CONDITIONS = catalogue.discover()
_PACKAGE = re.compile(r"^[A-Za-z0-9._-]+")


def _plain(value: Any) -> str:
    shown = value.value if isinstance(value, Enum) else value
    return "" if shown is None else f"`{shown}`"


def test_settings() -> None:
    real = {}
    for group, outer in Settings.model_fields.items():
        inner: Any = outer.annotation
        for name, field in inner.model_fields.items():
            real[f"`SIYU_{group}_{name}`".upper()] = (_plain(field.default), field.description)
    listed = {row[0]: (row[1], row[2]) for row in rows(read("docs/reference/settings.md")) if "SIYU_" in row[0]}
    assert listed == real


def test_the_settings_of_compose_exist() -> None:
    known = named("\n".join(row[0] for row in rows(read("docs/reference/settings.md"))))
    own = {"SIYU_DATABASE_PASSWORD", "SIYU_VALKEY_PASSWORD", "SIYU_VERSION", "SIYU_POSTGRES_IMAGE", "SIYU_VALKEY_IMAGE"}
    used = set(re.findall(r"SIYU_[A-Z_]+", read("docker-compose.yml") + read(".env.example") + read("Dockerfile")))
    assert used - own <= known


def test_dependencies() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = [item for items in project["optional-dependencies"].values() for item in items]
    real = {_name(item) for item in [*project["dependencies"], *extras]}
    listed = [row[0].strip("`") for row in rows(read("docs/reference/dependencies.md"))]
    assert sorted(listed) == sorted(real)


def test_browser_dependencies() -> None:
    packages = json.loads(read("frontend/package.json"))
    real = {**packages.get("dependencies", {}), **packages.get("devDependencies", {})}
    assert set(real) <= named(read("docs/reference/dependencies.md"))


def _name(requirement: str) -> str:
    found = _PACKAGE.match(requirement)
    assert found is not None
    return found[0].lower()


def test_events() -> None:
    real = {kind: {item.name for item in fields(event)} - {"member_id"} for kind, event in CATALOGUE.items()}
    listed = {row[0].strip("`"): named(row[2]) for row in rows(read("docs/reference/events.md"))}
    assert listed == real


def test_every_condition_is_described() -> None:
    text = read("docs/reference/conditions.md")
    assert sorted(re.findall(r"^### `(\w+)`$", text, re.MULTILINE)) == CONDITIONS.names()


@pytest.mark.parametrize("name", CONDITIONS.names())
def test_every_parameter_is_described(name: str) -> None:
    condition = CONDITIONS.named(name)
    assert condition is not None
    described = named(section(read("docs/reference/conditions.md"), f"`{name}`"))
    assert set(condition.parameters.model_fields) <= described


@pytest.mark.parametrize("page", ["docs/reference/conditions.md", "docs/reference/api.md"])
def test_rules_in_examples_are_valid(page: str) -> None:
    text = read(page)
    rules = [code for code in fences(text, "json") if '"condition": "' in code]
    rules += [found[1] for code in fences(text, "bash") for found in re.finditer(r"^RULE='(.+)'$", code, re.MULTILINE)]
    assert rules
    for rule in rules:
        parser.parse(json.loads(rule), CONDITIONS)


def test_scopes() -> None:
    table = section(read("docs/reference/api.md"), "Scopes")
    listed = [scope for row in rows(table) for scope in sorted(named(row[1]))]
    assert sorted(listed) == sorted(Permission)


def test_commands() -> None:
    group = typer.main.get_command(app)
    real = {f"siyu {path}" for path in _paths(group.commands)}  # type: ignore[attr-defined]  # a Typer app is a group
    listed = {" ".join(re.findall(r"^siyu(?: [a-z][a-z-]*)+", name)) for name in _commands_listed()}
    assert listed == real


def _paths(commands: dict[str, Any]) -> list[str]:
    found = []
    for name, command in commands.items():
        inner = getattr(command, "commands", None)
        found += [f"{name} {rest}" for rest in _paths(inner)] if inner else []
        found += [name] if not inner or getattr(command, "invoke_without_command", False) else []
    return found


def _commands_listed() -> list[str]:
    return [row[0].strip("`") for row in rows(read("docs/reference/cli.md"))]


def test_states_of_deliveries() -> None:
    table = section(read("docs/architecture.md"), "Deliveries")
    listed = [row[0].strip("`") for row in rows(table) if row[0].startswith("`")]
    assert listed == list(DeliveryState)
