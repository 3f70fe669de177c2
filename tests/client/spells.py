"""Spells that the client's tests run."""

from __future__ import annotations

from typing import Any

HELLO: dict[str, Any] = {
    "schema": 1,
    "name": "Hello",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 2}},
        "b": {"type": "code.python", "code": "x * 21"},
    },
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
}

CYCLE: dict[str, Any] = {
    "nodes": {
        "a": {"type": "core.delay", "inputs": {"seconds": 0}},
        "b": {"type": "core.delay", "inputs": {"seconds": 0}},
    },
    "edges": {
        "ab": {"source": "a", "output": "value", "target": "b", "input": "value"},
        "ba": {"source": "b", "output": "value", "target": "a", "input": "value"},
    },
}

FAILING: dict[str, Any] = {
    "nodes": {
        "bad": {"type": "core.fail", "inputs": {"message": "no more ink"}},
        "good": {"type": "core.value", "inputs": {"value": "still here"}},
    },
    "edges": {},
}


def chain(length: int, seconds: float) -> dict[str, Any]:
    """A value handed on through delays, one after the other."""
    nodes: dict[str, Any] = {"n0": {"type": "core.value", "inputs": {"value": 7}}}
    edges: dict[str, Any] = {}
    for i in range(1, length):
        nodes[f"n{i}"] = {"type": "core.delay", "inputs": {"seconds": seconds}}
        edges[f"e{i}"] = {
            "source": f"n{i - 1}",
            "output": "value",
            "target": f"n{i}",
            "input": "value",
        }
    return {"nodes": nodes, "edges": edges}
