"""What the record of a failure tells, and what it keeps to itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import spellwork
from spellwork import Library, NodeError, Pack, node
from spellwork.failing import failure_of


def failing_deep_down() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        raise NodeError("the text is not JSON") from error


def test_a_traceback_names_modules_and_not_where_they_lie_on_the_disk() -> None:
    try:
        failing_deep_down()
    except NodeError as error:
        told = failure_of(error).traceback
    assert told is not None
    assert 'File "spells/test_failing.py"' in told
    assert 'File "json/decoder.py"' in told
    assert "in failing_deep_down" in told
    assert "The above exception was the direct cause" in told
    for place in (Path(__file__).parents[2], Path(json.__file__).parents[1]):
        assert str(place) not in told


@node("t.broken")
def broken() -> None:
    """Fail in a thread."""
    failing_deep_down()


@pytest.mark.anyio
async def test_a_traceback_from_a_thread_begins_with_the_nodes_own_frame() -> None:
    library = Library((Pack(name="t", version="1", title="T", nodes=(broken,)),))
    result = await spellwork.run_async({"nodes": {"n": {"type": "t.broken"}}}, library=library)
    told = result.errors["n"].traceback
    assert told is not None
    after = told.partition("direct cause of the following exception:")[2].strip().splitlines()
    assert after[1].startswith('  File "spells/test_failing.py"')
