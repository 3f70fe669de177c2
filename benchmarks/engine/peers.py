"""The same graphs on other engines. Each maker builds once and returns a function that runs once."""

from __future__ import annotations

import sys
import types
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypedDict

from .graphs import Graph, name

Runner = Callable[[], Awaitable[list[int]]]


def hamilton(graph: Graph) -> Runner:
    """Hamilton's synchronous driver, one plain function for each node."""
    from hamilton import base, driver  # noqa: PLC0415 - a peer may be missing

    lines = [
        f"def {name(index)}({', '.join(f'{name(source)}: int' for source in sources)}) -> int:\n"
        f"    return {' + '.join([*map(name, sources), '1'])}\n"
        for index, sources in enumerate(graph)
    ]
    module = sys.modules["hamilton_graph"] = types.ModuleType("hamilton_graph")
    exec("\n".join(lines), module.__dict__)  # Hamilton reads the functions of an importable module
    names = [name(index) for index in range(len(graph))]
    built = driver.Builder().with_modules(module).with_adapter(base.DefaultAdapter()).build()

    async def run() -> list[int]:
        results: dict[str, int] = built.execute(names)
        return [results[each] for each in names]

    return run


def langgraph(graph: Graph) -> Runner:
    """LangGraph's StateGraph, a channel for each node."""
    from langgraph.graph import END, START, StateGraph  # noqa: PLC0415 - a peer may be missing

    names = [name(index) for index in range(len(graph))]
    state = TypedDict("state", dict.fromkeys(names, int))  # type: ignore[misc]
    builder: Any = StateGraph(state)

    def make(index: int) -> Callable[[dict[str, int]], Awaitable[dict[str, int]]]:
        reads, mine = [name(source) for source in graph[index]], name(index)

        async def call(values: dict[str, int]) -> dict[str, int]:
            return {mine: sum(values[each] for each in reads) + 1}

        return call

    read = {source for sources in graph for source in sources}
    for index, sources in enumerate(graph):
        builder.add_node("do_" + name(index), make(index))
        if not sources:
            builder.add_edge(START, "do_" + name(index))
        else:
            before = ["do_" + name(source) for source in sources]
            builder.add_edge(before if len(before) > 1 else before[0], "do_" + name(index))
        if index not in read:
            builder.add_edge("do_" + name(index), END)
    built = builder.compile()

    async def run() -> list[int]:
        results = await built.ainvoke({}, {"recursion_limit": 3_000})
        return [results[each] for each in names]

    return run


@cache
def _funcnodes_kind(count: int) -> Any:
    """Return FuncNodes' class of the nodes with so many inputs; a class may be made once in a process."""
    import funcnodes_core as fn  # noqa: PLC0415 - a peer may be missing

    arguments = [f"x{number}" for number in range(count)] or ["start"]
    text = (
        f"async def add({', '.join(f'{each}: int' for each in arguments)}) -> int:\n"
        f"    return {' + '.join([*(arguments if count else []), '1'])}\n"
    )
    space: dict[str, Any] = {}
    exec(text, space)
    return fn.NodeDecorator(node_id=f"bench_add_{count}", outputs=[{"name": "out"}])(space["add"])


def funcnodes(graph: Graph) -> Runner:
    """FuncNodes' nodes, one class for each number of inputs; the first nodes are triggered."""
    # Without its delay before each trigger (10 ms as shipped), which is not work.
    nodes = [_funcnodes_kind(len(sources))(pretrigger_delay=0) for sources in graph]
    for index, sources in enumerate(graph):
        for number, source in enumerate(sources):
            nodes[source].outputs["out"].connect(nodes[index].inputs[f"x{number}"])
    first = [node for node, sources in zip(nodes, graph, strict=True) if not sources]

    async def run() -> list[int]:
        for node in first:
            node.inputs["start"].value = 0
        for node in nodes:  # in graph order; run_until_complete looks at all nodes after each step
            node.trigger_if_requested()
            while node.in_trigger:
                await node.wait_for_trigger_finish()
        return [node.outputs["out"].value for node in nodes]

    return run


PEERS = {"hamilton": hamilton, "langgraph": langgraph, "funcnodes": funcnodes}
