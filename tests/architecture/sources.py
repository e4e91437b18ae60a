"""The product's own files, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("crm", "flows", "bot", "admin_api", "runtime")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One file."""

    name: str
    """Path from the root, with slashes."""
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n")


@cache
def sources(*packages: str) -> tuple[Source, ...]:
    """Every Python file of these packages (of the product when none is named), in order."""
    found = []
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text("utf-8")
            found.append(Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    assert found
    return tuple(found)


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, with `…` for what is no plain name."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, name):
            return f"{dotted(value)}.{name}"
        case ast.Call(function):
            return f"{dotted(function)}()"
    return "…"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            yield node
