"""How deeply values may nest before those who read them fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

import spellwork
from spellwork import Library, Limits, Pack, node
from spellwork.execution import Execution
from spellwork.nesting import nests_deeper


def nested(depth: int, inner: Any = 0) -> Any:
    for turn in range(depth):
        inner = [inner] if turn % 2 else {"k": inner}
    return inner


@pytest.mark.parametrize("inner", [0, "[[[[{{{{", "}}]]", {"[": "]"}, [[], {}, [[]]]])
def test_depth_is_told_from_the_brackets_whatever_the_texts_hold(inner: Any) -> None:
    own = {int: 0, str: 0, dict: 1, list: 3}[type(inner)]
    body = json.dumps([nested(20, inner), *["x"] * 30, *[{}] * 30]).encode()
    assert nests_deeper(body, 20 + own)
    assert not nests_deeper(body, 21 + own)


def test_what_no_parser_follows_is_too_deep() -> None:
    assert nests_deeper(b"[" * 5_000 + b"]" * 5_000, 200)


@node("t.deep", cache="none")
async def deep(depth: int) -> Any:
    """A value as deep as asked."""
    return nested(depth)


@pytest.mark.anyio
async def test_an_output_that_nests_too_deep_fails_its_node() -> None:
    library = Library((Pack(name="t", version="1", title="T", nodes=(deep,)),))
    nodes = {f"n{depth}": {"type": "t.deep", "inputs": {"depth": depth}} for depth in (200, 201)}
    spell = spellwork.Spell.model_validate({"schema": 1, "nodes": nodes})
    plan = spellwork.compile(spell, library)
    result = await Execution(plan, limits=Limits(output_bytes=1_000_000)).run()
    assert list(result.outputs) == ["n200"]
    assert result.errors["n201"].code == "output_too_deep"
