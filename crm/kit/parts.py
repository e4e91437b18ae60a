"""Parts that are named by `module:attribute` and loaded by whoever uses them, so that nobody else pays for them."""

import importlib
from typing import Any


def load_part(path: str) -> Any:
    """What `module:attribute` names."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def make_part(path: str, *arguments: Any) -> Any:
    """What the function or class that `module:attribute` names makes of the arguments."""
    return load_part(path)(*arguments)
