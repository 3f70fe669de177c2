"""What the record of a failure tells, and what it keeps to itself."""

from __future__ import annotations

import json
from pathlib import Path

from spellwork import NodeError
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
