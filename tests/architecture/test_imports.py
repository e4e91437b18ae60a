"""Imports stand at the top and say all: no late ones, no loading by name, nothing hidden in `__init__`."""

import ast

from tests.architecture.sources import Source, dotted, functions, sources

LOADERS = {
    "crm/kit/discovery.py": "finds what our own packages bring",
    "crm/kit/parts.py": "loads parts that manifests name, and what only some processes need",
    "runtime/channels.py": "finds the manifests of channels",
    "flows/engine/values.py": "finds the class of a journaled error again",
}
"""Files that may load modules by name, and why."""
_BY_NAME = {"importlib.import_module", "import_module", "__import__"}


def late_imports(source: Source) -> list[str]:
    """Imports inside functions."""
    return [
        f"{source.name}:{node.lineno}"
        for function in functions(source.tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def loads_by_name(source: Source) -> bool:
    """Whether it loads modules by name."""
    return any(isinstance(node, ast.Call) and dotted(node.func) in _BY_NAME for node in ast.walk(source.tree))


def test_no_import_stands_in_a_function() -> None:
    assert [place for source in sources() for place in late_imports(source)] == []


def test_only_the_named_files_load_by_name() -> None:
    assert {source.name for source in sources() if loads_by_name(source)} == set(LOADERS)


def test_packages_hold_a_docstring_and_nothing_else() -> None:
    guilty = [
        source.name
        for source in sources()
        if source.name.endswith("__init__.py") and (len(source.tree.body) != 1 or not ast.get_docstring(source.tree))
    ]
    assert guilty == []


def test_every_module_says_what_it_owns() -> None:
    assert [source.name for source in sources() if not ast.get_docstring(source.tree)] == []


def test_offenders_are_noticed() -> None:
    text = "import json\n\ndef load(name):\n    from crm import points\n    return importlib.import_module(name)\n"
    source = Source("x.py", text, ast.parse(text))
    assert late_imports(source) == ["x.py:4"]
    assert loads_by_name(source)
