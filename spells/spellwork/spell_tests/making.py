"""Make a test of what a run left: recorded outputs for what must not be called again, assertions on the rest.

Values stay small: a test lies in the document that everybody has open.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spellwork.analysis import Analysis
from spellwork.ports import WHOLE_PORT
from spellwork.spell_test import Equals, Expectation, Recorded, RecordedFailure, SpellTest

from .guarding import has_consequences

MOST_VALUE = 64_000
"""Characters of JSON of one value that a test takes along."""

MOST_TEST = 512_000
"""Those of all values of one test."""

DEEPEST = 40
"""Lists and objects within each other in a value that a test takes along."""

LARGEST_EXACT = 2**53 - 1
"""A shared document keeps larger whole numbers only about."""

LARGE = "too_large"
GONE = "no_value"
ALL = "too_large_altogether"
DEEP = "too_deep"
INEXACT = "not_exact"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a run left of one node: its outputs as far as they are at hand, or its failure, or why it was skipped.

    ``missing`` are outputs that are not at hand, each with why.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    failure: tuple[str, str] | None = None
    skipped: bool = False
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A test, and what of the run it does not have: {node: {port: why}}, with "" for all of a node."""

    test: SpellTest
    left_out: dict[str, dict[str, str]]


def recordable(analysis: Analysis) -> list[str]:
    """Return the nodes that a test records unless told otherwise, by id.

    Those that have side effects, may cost money, or need not give the same
    again; and those that run such a node inside themselves.
    """
    inside = {
        owner
        for id, region in analysis.regions.of.items()
        if _is_fickle(analysis, id)
        for owner in analysis.regions.owners[region]
    }
    return sorted(
        id
        for id in analysis.parts
        if id not in analysis.regions.of and (id in inside or _is_fickle(analysis, id))
    )


def last_nodes(analysis: Analysis, recorded: Collection[str] = ()) -> list[str]:
    """Return the nodes that nothing else needs, by id: what a spell is run for.

    What only ``recorded`` nodes need counts as such, and they themselves do not.
    """
    needed = {need for id, needs in analysis.needs.items() if id not in recorded for need in needs}
    skipped = needed | set(recorded) | analysis.regions.of.keys()
    return sorted(id for id in analysis.parts if id not in skipped)


def make_test(
    name: str,
    nodes: Mapping[str, Chosen],
    record: Collection[str],
    expect: Collection[str],
    inputs: Mapping[str, Any],
) -> Made:
    """Return a test that records some of these nodes and expects of others what they were."""
    making = _Making()
    recorded = {id: each for id in sorted(record) if (each := making.record(id, nodes.get(id)))}
    expected = {
        id: wanted
        for id in sorted(set(expect) - recorded.keys())
        if (wanted := making.expect(id, nodes.get(id)))
    }
    given = {
        key: value for key, value in sorted(inputs.items()) if making.takes("inputs", key, value)
    }
    test = SpellTest(name=name, inputs=given, record=recorded, expect=expected)
    return Made(test, making.left_out)


class _Making:
    """One test as it is put together, within its size."""

    def __init__(self) -> None:
        self.left_out: dict[str, dict[str, str]] = {}
        self._left = MOST_TEST

    def takes(self, node: str, port: str, value: Any) -> bool:
        """Say whether a value is taken along; note where it is not."""
        why = _unfit(value)
        if why is not None:
            self._leave(node, port, why)
            return False
        size = len(json.dumps(value, ensure_ascii=False))
        if size > MOST_VALUE or size > self._left:
            self._leave(node, port, LARGE if size > MOST_VALUE else ALL)
            return False
        self._left -= size
        return True

    def record(self, node: str, chosen: Chosen | None) -> Recorded | None:
        """Return what stands for a node, or None where nothing of it is at hand."""
        if chosen is None or chosen.skipped:
            self._leave(node, "", GONE)
            return None
        if chosen.failure is not None:
            code, message = chosen.failure
            return Recorded(failure=RecordedFailure(code=code, message=message[:10_000]))
        return Recorded(outputs=self._outputs(node, chosen))

    def expect(self, node: str, chosen: Chosen | None) -> Expectation | None:
        """Return that a node must end as it did, with the outputs it had."""
        if chosen is None:
            self._leave(node, "", GONE)
            return None
        if chosen.failure is not None:
            return Expectation(status="failed", code=chosen.failure[0][:100] or None)
        if chosen.skipped:
            return Expectation(status="skipped")
        outputs = self._outputs(node, chosen)
        return Expectation(
            outputs={port: Equals(op="equals", value=value) for port, value in outputs.items()}
        )

    def _outputs(self, node: str, chosen: Chosen) -> dict[str, Any]:
        for port, why in chosen.missing.items():
            self._leave(node, port, why)
        return {
            port: value
            for port, value in sorted(chosen.outputs.items())
            if port != WHOLE_PORT.name and self.takes(node, port, value)
        }

    def _leave(self, node: str, port: str, why: str) -> None:
        self.left_out.setdefault(node, {})[port] = why


def _unfit(value: Any) -> str | None:
    """Return why a value cannot lie in a shared document as it is, or None."""
    level = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
            elif isinstance(each, int | float) and not _is_exact(each):
                return INEXACT
        if not inner:
            return None
        level = inner
    return DEEP


def _is_exact(number: float) -> bool:
    return abs(number) <= LARGEST_EXACT if isinstance(number, int) else math.isfinite(number)


def _is_fickle(analysis: Analysis, id: str) -> bool:
    part = analysis.parts.get(id)
    if part is None or part.type.marks is not None or part.type.body_ports is not None:
        return False
    return has_consequences(part.type) or part.type.cache == "none"


def told(left_out: Mapping[str, Mapping[str, str]]) -> Sequence[str]:
    """Return what was left out, a line for each value."""
    words = {
        LARGE: "is too large",
        ALL: "does not fit any more",
        GONE: "left nothing",
        DEEP: "nests too deep",
        INEXACT: "has a number that a document cannot hold",
    }
    return [
        f"{node}{'.' + port if port else ''} {words.get(why, why)}"
        for node, ports in sorted(left_out.items())
        for port, why in sorted(ports.items())
    ]
