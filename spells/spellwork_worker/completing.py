"""What may be written next in a Python cell, found by reading it: the code is never run.

Runs in a worker, since Jedi looks into the packages of the environment, and some of
them (compiled ones) it has to import for that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

MOST = 100
"""Completions that are told; whoever writes on gets others."""

_KINDS = {
    "module": "namespace",
    "class": "class",
    "instance": "variable",
    "function": "function",
    "param": "variable",
    "path": "text",
    "keyword": "keyword",
    "property": "property",
    "statement": "variable",
    "namespace": "namespace",
}


def complete(code: str, line: int, column: int, hints: dict[str, str]) -> list[dict[str, str]]:
    """Return what may stand at a place, private names last.

    ``line`` counts from 1, ``column`` characters from 0. ``hints`` are the inputs of
    the cell, each with a type as Python writes it.
    """
    import jedi  # noqa: PLC0415 - only where somebody writes code
    from jedi.api.environment import InterpreterEnvironment  # noqa: PLC0415

    jedi.settings.cache_directory = str(Path.cwd() / "jedi")
    known = [f"{name}: {hint}" for name, hint in hints.items()]
    if any("pandas." in hint for hint in hints.values()):
        known.insert(0, "import pandas")
    if any("numpy." in hint for hint in hints.values()):
        known.insert(0, "import numpy")
    script = jedi.Script("\n".join([*known, code]), environment=InterpreterEnvironment())
    found = script.complete(line + len(known), column)
    ordered = sorted(found, key=lambda each: (each.name.startswith("_"), each.name.endswith("=")))
    return [_described(each) for each in ordered[:MOST]]


def _described(found: Any) -> dict[str, str]:
    return {"label": found.name_with_symbols, "kind": _KINDS.get(found.type, "variable")}
