"""What is wrong a million times is said at once, in few words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from spellwork import Library, Pack, Spell, SpellUnreadable, compile, node, read_spell
from tests.spells.drawing import run_plan

MANY = 200_000


@node("f.words", output="words")
async def words() -> Any:
    """Many words."""
    return ["x"] * MANY


@node("f.total", output="sum")
async def total(items: list[int]) -> int:
    """The sum."""
    return sum(items)


library = Library([Pack(name="f", version="1", title="F", nodes=(words, total))])


@pytest.mark.anyio
@pytest.mark.rule("4.7")
async def test_a_list_of_which_no_item_fits_is_rejected_in_few_words() -> None:
    wire = {"source": "a", "output": "words", "target": "b", "input": "items"}
    nodes = {"a": {"type": "f.words"}, "b": {"type": "f.total"}}
    spell = Spell.model_validate({"nodes": nodes, "edges": {"e": wire}})
    result, _ = await run_plan(compile(spell, library))
    failure = result.errors["b"]
    assert (failure.code, failure.port) == ("invalid_input", "items")
    assert failure.message == (
        'the input \'items\' cannot be ["x","x","x","x","x","x","x","x","x","x","x","x","x","x",...'
        ": 200,000 parts of it do not fit"
    )


@pytest.mark.rule("1.2")
@pytest.mark.parametrize("rubbish", [{"nodes": dict.fromkeys(map(str, range(MANY)), 1)}, dict.fromkeys(map(str, range(MANY)), 1)])  # fmt: skip
def test_a_spell_full_of_errors_is_refused_soon(rubbish: Any) -> None:
    begun = time.process_time()
    with pytest.raises(SpellUnreadable, match="200,000 parts of it do not fit"):
        read_spell(rubbish)
    assert time.process_time() - begun < 2
