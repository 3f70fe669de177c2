"""Spells that the browser tests find on their canvas."""

from __future__ import annotations

from typing import Any

SUM: dict[str, Any] = {
    "nodes": {
        "six": {"type": "core.value", "inputs": {"value": 6}, "position": [0, 0]},
        "answer": {"type": "code.python", "code": "x * 7", "position": [340, 0]},
    },
    "edges": {"e": {"source": "six", "output": "value", "target": "answer", "input": "x"}},
}

TYPED: dict[str, Any] = {
    "nodes": {
        "words": {"type": "core.text", "inputs": {"text": "hello"}, "position": [0, 0]},
        "loud": {"type": "core.case", "inputs": {"to": "upper"}, "position": [340, 0]},
    },
    "edges": {"e": {"source": "words", "output": "text", "target": "loud", "input": "text"}},
}
"""Two cheap nodes, which run while somebody types."""

STRANGE: dict[str, Any] = {
    "nodes": {"odd": {"type": "elsewhere.thing", "inputs": {"kept": "yes"}, "position": [0, 0]}},
    "edges": {},
}


def delays(count: int, seconds: float, *, first: float | None = None) -> dict[str, Any]:
    """Return a chain of delays with a value at its head, in rows that fit a window.

    ``first`` is the seconds of d1: time to do something before d2 starts, however busy the machine.
    """
    nodes: dict[str, Any] = {
        "d0": {"type": "core.value", "inputs": {"value": "hello"}, "position": [0, 0]}
    }
    edges: dict[str, Any] = {}
    for i in range(1, count):
        nodes[f"d{i}"] = {
            "type": "core.delay",
            "inputs": {"seconds": first if first is not None and i == 1 else seconds},
            "position": [(i % 4) * 320, (i // 4) * 220],
        }
        edges[f"e{i}"] = {
            "source": f"d{i - 1}",
            "output": "value",
            "target": f"d{i}",
            "input": "value",
        }
    return {"nodes": nodes, "edges": edges}
