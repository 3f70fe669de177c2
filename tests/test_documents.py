"""The examples that people read run as they stand, and give what stands beside them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMISED = re.compile(r"  # (\S.*)$")


def run_block(text: str, names: dict[str, Any]) -> int:
    """Run an example; compare each expression with the literal beside it. Return how many were compared."""
    compared = 0
    for statement in ast.parse(text).body:
        part = ast.get_source_segment(text, statement) or ""
        if not isinstance(statement, ast.Expr):
            exec(part, names)
            continue
        value = eval(part, names)
        line = text.splitlines()[(statement.end_lineno or 1) - 1]
        if promised := PROMISED.search(line):
            assert value == ast.literal_eval(promised[1]), part
            compared += 1
    return compared


@pytest.mark.parametrize(
    ("file", "compared"),
    [("docs/builder.md", 4), ("docs/cells.md", 1), ("README.md", 2)],
    ids=["builder", "cells", "readme"],
)
def test_examples_of_the_engine_run(file: str, compared: int) -> None:
    names: dict[str, Any] = {}
    blocks = [
        block
        for block in BLOCK.findall((ROOT / file).read_text())
        if "spellwork_client" not in block
    ]
    assert sum(run_block(block, names) for block in blocks) == compared
