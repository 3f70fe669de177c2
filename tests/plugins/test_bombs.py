"""Small inputs that would make nodes fill the memory, or never end, are refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from spellwork import Library
from spellwork_core.naming import unique_names

from .conftest import RunNode

pytestmark = pytest.mark.anyio

LONG = "x" * 20_000

BOMBS: list[tuple[str, dict[str, Any], str, str]] = [
    ("core.replace", {"text": "a" * 100_000, "find": "a", "by": LONG}, "too_large", "by"),
    ("core.replace", {"text": "a" * 100_000, "find": "", "by": LONG}, "too_large", "by"),
    ("core.join", {"items": [""] * 10_000, "separator": LONG}, "too_large", "separator"),
    ("core.template", {"template": "{a}" * 10_000, "a": LONG}, "too_large", "template"),
    (
        "core.json_format",
        {"value": [[[[[0] * 9] * 9] * 99] * 99], "indent": 8},
        "too_large",
        "value",
    ),
    ("core.range", {"end": 10**18}, "node_error", "end"),
    ("core.date_format", {"time": "2020-01-01", "format": "%999999999Y"}, "node_error", "format"),
    ("core.date_format", {"time": "2020-01-01", "format": "%_0999999999d"}, "node_error", "format"),
    ("core.json_pick", {"value": [1], "path": f"[{'9' * 5_000}]"}, "node_error", "path"),
    ("core.json_pick", {"value": [1], "path": "²"}, "node_error", "path"),
    ("core.json_parse", {"text": "[" * 100_000}, "node_error", "text"),
    ("core.csv", {"text": "a" + "," * 10_000 + "\nx" * 10_000}, "node_error", "text"),
    ("core.aggregate", {"items": [1e308] * 3, "how": "mean"}, "node_error", "items"),
    ("core.switch", {"value": 1, "cases": ["x"] * 101}, "invalid_input", "cases"),
]


@pytest.mark.parametrize(("type", "inputs", "code", "port"), BOMBS)
async def test_a_bomb_is_refused(
    run_node: RunNode, type: str, inputs: dict[str, Any], code: str, port: str
) -> None:
    begun = time.process_time()
    result = await run_node(type, **inputs)
    failure = result.errors["n"]
    assert (failure.code, failure.port) == (code, port), failure.message
    assert time.process_time() - begun < 5


def test_ten_thousand_equal_names_are_told_apart_soon() -> None:
    begun = time.process_time()
    names = unique_names(["a"] * 10_000)
    assert time.process_time() - begun < 2
    assert names[:3] == ["a", "a (again)", "a (again 2)"]
    assert len(set(names)) == 10_000


def test_what_takes_long_with_much_input_runs_off_the_event_loop() -> None:
    library = Library.installed()
    for name in (
        "sort",
        "filter",
        "unique",
        "group",
        "describe",
        "csv",
        "json_parse",
        "json_format",
        "replace",
    ):
        declared = library.get(f"core.{name}")
        assert declared is not None
        assert declared.isolation != "inline", name
