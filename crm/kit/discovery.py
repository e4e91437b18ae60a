"""Finds what our own packages bring (conditions, rules, flows, subscribers), once, at start."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def modules_in(package: str) -> Iterator[ModuleType]:
    """Every module directly inside `package`, imported, in the order of their names."""
    parent = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(parent.__path__), key=lambda item: item.name):
        yield importlib.import_module(f"{package}.{info.name}")


def modules_named(root: str, name: str) -> Iterator[ModuleType]:
    """The module or package `name` of each capability below `root` that has one, e.g. `subscribers`."""
    parent = importlib.import_module(root)
    for info in sorted(pkgutil.iter_modules(parent.__path__), key=lambda item: item.name):
        if not info.ispkg:
            continue
        child = importlib.import_module(f"{root}.{info.name}")
        if any(entry.name == name for entry in pkgutil.iter_modules(child.__path__)):
            yield importlib.import_module(f"{root}.{info.name}.{name}")


def instances(module: ModuleType, kind: type[T]) -> Iterator[T]:
    """The public module-level objects of `module` that are of `kind`, in order of definition.

    Classes do not count, though they have what a protocol asks for; nor does `sqlalchemy.func`, which pretends to
    have every attribute.
    """
    for name, value in vars(module).items():
        is_ours = not isinstance(value, type) and not type(value).__module__.startswith("sqlalchemy.")
        if is_ours and not name.startswith("_") and isinstance(value, kind):
            yield value
