"""Every English text of errors, alerts and formulas in the code, read from its source: with a sign at each place."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import crm
from crm.kit.errors import DomainError

ROOT = Path(crm.__file__).parent.parent
_SOURCES = ("crm", "flows", "admin_api", "bot")
_PROBLEMS = re.compile(r"((?<!Ledger)Problem|Fault|BadRow|FormulaError|EgressFailed|_wrong)$")
_LETTERS = re.compile(r"[a-z]{2}")
_FORMATTED = re.compile(r"\{\w*\}")


def sign(number: int) -> str:
    """What stands for the value at a place."""
    return f"‹{number}›"


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed modules by their path below the root."""
    paths = (path for name in _SOURCES for path in sorted((ROOT / name).rglob("*.py")))
    wanted = (path for path in paths if "migrations" not in path.parts and path.name != "testing.py")
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in wanted}


@cache
def errors() -> dict[str, type[DomainError]]:
    """The domain's errors by name."""
    modules = [path.removesuffix(".py").replace("/", ".") for path in trees() if path.endswith("errors.py")]
    return {
        name: kind
        for module in modules
        for name, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if issubclass(kind, DomainError)
    }


def said(node: ast.expr) -> str | None:
    """The text of a literal, with signs at its places; None when it is no text of words."""
    match node:
        case ast.Constant(value=str(text)):
            return text if _LETTERS.search(text) else None
        case ast.JoinedStr(values=values):
            parts = [
                part.value if isinstance(part, ast.Constant) else sign(number) for number, part in enumerate(values)
            ]
            text = "".join(map(str, parts))
            return text if _LETTERS.search(text) else None
    return None


def of_errors() -> Iterator[tuple[str, str]]:
    """Text and place of whatever is handed to an error of the domain, or to a problem that one lists."""
    for path, tree in trees().items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func).split(".")[-1]
            if name not in errors() and not _PROBLEMS.search(name):
                continue
            for text in filter(None, map(said, _told(call))):
                if " " in text:
                    yield text, f"{path}:{call.lineno}"


def of_validators() -> Iterator[tuple[str, str]]:
    """Text and place of what validators of parameters and terms say."""
    for path, tree in trees().items():
        if not re.match(r"crm/\w+/(conditions|nodes|rules|terms|validity)", path):
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "ValueError" and call.args and (text := said(call.args[0])):
                yield text, f"{path}:{call.lineno}"


def of_alerts() -> Iterator[tuple[str, str]]:
    """Each whole sentence in a module that raises alerts or looks for their causes."""
    for path, tree in trees().items():
        if path == "crm/alerts/types.py" or "AlertKind." not in ast.unparse(tree) or path.startswith("admin_api"):
            continue
        skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped:
                text = said(node) or ""
                if text.endswith(".") and " " in text:
                    yield _FORMATTED.sub(sign(7), text), path


def of_classes() -> Iterator[tuple[str, str]]:
    """What an error of the domain says by itself."""
    for name, kind in errors().items():
        yield kind._default_detail(), name


def _told(call: ast.Call) -> Iterator[ast.expr]:
    for item in [*call.args, *(word.value for word in call.keywords if word.arg in {"detail", "problems"})]:
        match item:
            case ast.Dict(values=values):
                yield from values
            case ast.IfExp(body=one, orelse=other):
                yield from (one, other)
            case _:
                yield item
