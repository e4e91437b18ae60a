"""The kinds of node that are shipped, and the checking of a graph against them."""

from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys.errors import GraphProblem
from crm.journeys.nodes.contract import Node
from crm.journeys.types import Graph
from crm.kit.discovery import instances, modules_in


@lru_cache(maxsize=1)
def nodes() -> dict[str, Node]:
    """Every kind of node, by name."""
    found = (
        item
        for module in modules_in("crm.journeys.nodes")
        for item in instances(module, Node)  # type: ignore[type-abstract]  # a runtime protocol
    )
    return {item.kind: item for item in found if not isinstance(item, type)}


async def problems(session: AsyncSession, graph: Graph) -> list[GraphProblem]:
    """Everything that is wrong with a graph: unknown nodes, exits that lead nowhere, loops, bad parameters."""
    found: list[GraphProblem] = []
    if graph.start not in graph.nodes:
        found.append(GraphProblem("start", f"There is no node {graph.start!r}."))
    for name, spec in graph.nodes.items():
        node = nodes().get(spec.kind)
        if node is None:
            known = ", ".join(sorted(nodes()))
            found.append(GraphProblem(f"nodes.{name}.kind", f"There is no node of kind {spec.kind!r}; use {known}."))
            continue
        for way, target in spec.exits.items():
            if way not in node.exits:
                ways = ", ".join(node.exits)
                found.append(GraphProblem(f"nodes.{name}.exits.{way}", f"This node has no such exit; it has {ways}."))
            elif target not in graph.nodes:
                found.append(GraphProblem(f"nodes.{name}.exits.{way}", f"There is no node {target!r}."))
        found += await _parameter_problems(session, name, node, spec.parameters)
    return found or _shape_problems(graph)


async def _parameter_problems(
    session: AsyncSession, name: str, node: Node, values: dict[str, Any]
) -> list[GraphProblem]:
    base = f"nodes.{name}.parameters"
    try:
        parameters = node.parameters.model_validate(values)
    except ValidationError as error:
        return [
            GraphProblem(".".join([base, *(str(step) for step in fault["loc"])]), fault["msg"] + ".")
            for fault in error.errors(include_url=False, include_input=False)
        ]
    return [GraphProblem(f"{base}.{path}", text) for path, text in await node.check(session, parameters)]


def _shape_problems(graph: Graph) -> list[GraphProblem]:
    """Loops never end, and nodes that nobody reaches are a slip."""
    reached: set[str] = set()

    def walk(name: str, path: frozenset[str]) -> str | None:
        if name in path:
            return name
        reached.add(name)
        for target in graph.nodes[name].exits.values():
            looping = walk(target, path | {name})
            if looping:
                return looping
        return None

    looping = walk(graph.start, frozenset())
    if looping:
        return [GraphProblem(f"nodes.{looping}", "This node leads back to itself; a journey must come to an end.")]
    return [GraphProblem(f"nodes.{name}", "No way leads to this node.") for name in graph.nodes if name not in reached]
