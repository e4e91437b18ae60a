"""What an operator's template may contain: names, attributes, conditions, loops over given lists, our filters.

The sandbox alone does not bound time or memory (nested ranges, powers, wide formats), so only a template
whose syntax tree holds nothing else is ever saved, and nothing else is ever rendered in process.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes

from crm.messages.filters import FILTERS
from crm.messages.types import Problem

_MEMBER = frozenset({"name", "points", "tier", "streak", "tags", "attributes", "locale"})
VARIABLES = {"member": _MEMBER, "brand": frozenset({"name"})}
LISTS = frozenset({"member.tags"})
MAX_SOURCE = 8000
_HARMLESS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.For,
    nodes.Neg,
)


@dataclass(frozen=True)
class Known:
    """What a text may use beyond the standard variables: dotted paths, and which of them are lists to loop over."""

    paths: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()


NOTHING_MORE = Known()


def problems_of(environment: Environment, source: str, more: Known = NOTHING_MORE) -> list[Problem]:
    """Everything in `source` that is not allowed, in the order of lines; empty when it may be saved."""
    if len(source) > MAX_SOURCE:
        return [Problem(f"The text is too long: {MAX_SOURCE} characters at most.")]
    try:
        tree = environment.parse(source)
        found = list(_walk(tree, more, 0))
        if not found:
            environment.from_string(source)
    except TemplateSyntaxError as error:
        return [Problem(error.message or "The template cannot be read.", error.lineno)]
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        # Thousands of brackets, a number of thousands of digits, or more nested blocks than Python itself takes.
        return [Problem("The template is nested too deeply or holds a number that is too long; make it simpler.")]
    return found


def _walk(node: nodes.Node, known: Known, depth: int) -> Iterator[Problem]:
    if not isinstance(node, _HARMLESS):
        text = f"{type(node).__name__} is not possible here; use variables, filters, if and for."
        yield Problem(text, node.lineno or 1)
        return
    if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name):
        yield from _name_problems(node, known.paths | known.lists)
        return
    if isinstance(node, nodes.Filter):
        yield from _filter_problems(node)
    if isinstance(node, nodes.For):
        yield from _loop_problems(node, known.lists | LISTS, depth)
        targets = {target.name for target in node.find_all(nodes.Name) if target.ctx == "store"}
        known = Known(known.paths | targets, known.lists)
        depth += 1
    for child in node.iter_child_nodes():
        if not (isinstance(child, nodes.Name) and child.ctx == "store"):
            yield from _walk(child, known, depth)


def path_of(node: nodes.Node) -> list[str] | None:
    """`member.attributes.colour` as its parts; None when it is not a plain path."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        above = path_of(node.node)
        return None if above is None else [*above, node.attr]
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        above = path_of(node.node)
        return None if above is None else [*above, node.arg.value]
    return None


def paths_in(tree: nodes.Node) -> set[str]:
    """The dotted paths that a template reads."""
    found = (path_of(node) for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)))
    return {".".join(path) for path in found if path}


def lists_in(tree: nodes.Node) -> set[str]:
    """The dotted paths that a template loops over."""
    found = (path_of(node.iter) for node in tree.find_all(nodes.For))
    return {".".join(path) for path in found if path}


def _name_problems(node: nodes.Node, known: frozenset[str]) -> Iterator[Problem]:
    path = path_of(node)
    if path is None:
        yield Problem("Only plain variables such as member.name are possible here.", node.lineno)
        return
    text = ".".join(path)
    if text in known:
        return
    if any(part.startswith("_") for part in path) or not _is_standard(path):
        yield Problem(f"There is no variable {text}; use {_hint(known)}.", node.lineno)


def _is_standard(path: list[str]) -> bool:
    group, *rest = path
    if not rest or rest[0] not in VARIABLES.get(group, ()):
        return False
    return len(rest) == (2 if rest[0] == "attributes" else 1)


def _hint(known: frozenset[str]) -> str:
    standard = (f"{group}.{name}" for group, names in VARIABLES.items() for name in names)
    named = (name + ".NAME" if name.endswith("attributes") else name for name in standard)
    return ", ".join(sorted({*named, *known}))


def _filter_problems(node: nodes.Filter) -> Iterator[Problem]:
    if node.name not in FILTERS:
        yield Problem(f"There is no filter {node.name}; use {', '.join(sorted(FILTERS))}.", node.lineno)
    if any(not isinstance(argument, nodes.Const) for argument in [*node.args, *(pair.value for pair in node.kwargs)]):
        yield Problem(f"The filter {node.name} takes fixed values only.", node.lineno)
    if node.dyn_args or node.dyn_kwargs:
        yield Problem(f"The filter {node.name} takes fixed values only.", node.lineno)
    elif node.name in FILTERS and not _takes(node):
        yield Problem(f"The filter {node.name} does not take these values.", node.lineno)


def _takes(node: nodes.Filter) -> bool:
    function = FILTERS[node.name]
    leading = 2 if hasattr(function, "jinja_pass_arg") else 1
    try:
        names: dict[str, None] = {str(pair.key): None for pair in node.kwargs}
        inspect.signature(function).bind(*[None] * leading, *node.args, **names)
    except TypeError:
        return False
    numbers = [argument for argument in node.args if isinstance(argument, nodes.Const)]
    return node.name != "truncate" or all(isinstance(argument.value, int) for argument in numbers)


def _loop_problems(node: nodes.For, lists: frozenset[str], depth: int) -> Iterator[Problem]:
    path = path_of(node.iter)
    if path is None or ".".join(path) not in lists:
        yield Problem(f"A loop goes over {', '.join(sorted(lists))} only.", node.lineno)
    if depth or node.recursive or node.test is not None:
        yield Problem("Loops cannot be nested, recursive or filtered.", node.lineno)
