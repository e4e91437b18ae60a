"""The kinds of node that are shipped, and the checking of a graph against them."""

from functools import lru_cache

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys.errors import GraphProblem
from crm.journeys.nodes.contract import Begun, Node
from crm.journeys.triggers import AnyTrigger, samples
from crm.journeys.types import Graph, NodeSpec
from crm.kit.discovery import instances, modules_in
from crm.kit.text import clean_text

_LONGEST = 200


@lru_cache(maxsize=1)
def nodes() -> dict[str, Node]:
    """Every kind of node, by name."""
    found = (
        item
        for module in modules_in("crm.journeys.nodes")
        for item in instances(module, Node)  # type: ignore[type-abstract]  # a runtime protocol
    )
    return {item.kind: item for item in found if not isinstance(item, type)}


async def problems(session: AsyncSession, graph: Graph, trigger: AnyTrigger) -> list[GraphProblem]:
    """Everything that is wrong with a graph: unknown nodes, exits that lead nowhere, loops, bad parameters."""
    begun = Begun(frozenset(f"trigger.{name}" for name in samples(trigger)))
    found: list[GraphProblem] = []
    if graph.start not in graph.nodes:
        found.append(GraphProblem("start", f"There is no node {graph.start[:_LONGEST]!r}."))
    for name, spec in graph.nodes.items():
        node = nodes().get(spec.kind)
        if node is None:
            known = ", ".join(sorted(nodes()))
            found.append(
                GraphProblem(f"nodes.{name}.kind", f"There is no node of kind {spec.kind[:_LONGEST]!r}; use {known}.")
            )
            continue
        for way, target in spec.exits.items():
            if way not in node.exits:
                ways = ", ".join(node.exits)
                found.append(GraphProblem(_exit(name, way), f"This node has no such exit; it has {ways}."))
            elif target not in graph.nodes:
                found.append(GraphProblem(_exit(name, way), f"There is no node {target[:_LONGEST]!r}."))
        found += await _parameter_problems(session, name, spec, begun)
    return found or _shape_problems(graph)


def _exit(name: str, way: str) -> str:
    return f"nodes.{name}.exits.{clean_text(way)[:_LONGEST]}"


async def _parameter_problems(session: AsyncSession, name: str, spec: NodeSpec, begun: Begun) -> list[GraphProblem]:
    base, node = f"nodes.{name}.parameters", nodes()[spec.kind]
    try:
        parameters = node.parameters.model_validate(spec.parameters)
    except ValidationError as error:
        return [
            GraphProblem(
                clean_text(".".join([base, *(str(step) for step in fault["loc"])]))[:_LONGEST],
                fault["msg"].removeprefix("Value error, ") + ".",
            )
            for fault in error.errors(include_url=False, include_input=False)
        ]
    return [GraphProblem(f"{base}.{path}", text) for path, text in await node.check(session, parameters, begun)]


def _shape_problems(graph: Graph) -> list[GraphProblem]:
    """Loops never end, and nodes that nobody reaches are a slip."""
    open_, done = set[str](), set[str]()

    def looping_from(name: str) -> str | None:
        if name in open_:
            return name
        if name in done:  # each node is walked once: ways that part and meet again would double the work each time
            return None
        open_.add(name)
        found = next(filter(None, map(looping_from, graph.nodes[name].exits.values())), None)
        open_.discard(name)
        done.add(name)
        return found

    looping = looping_from(graph.start)
    if looping:
        return [GraphProblem(f"nodes.{looping}", "This node leads back to itself; a journey must come to an end.")]
    return [GraphProblem(f"nodes.{name}", "No way leads to this node.") for name in graph.nodes if name not in done]
