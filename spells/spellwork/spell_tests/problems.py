"""What is wrong with the tests of a spell. None of it keeps the spell from running."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from spellwork.analysis import Analysis
from spellwork.errors import InvalidInput
from spellwork.inputs import place_inputs
from spellwork.paths import PathError, read_path
from spellwork.ports import FAILURE_PORT, WHOLE_PORT
from spellwork.problems import Problem
from spellwork.spell_test import Assertion, Matches, SpellTest

from .conforming import schema_fault

MOST_TOLD = 20
"""Problems of one test that are told."""


def test_problems(analysis: Analysis) -> list[Problem]:
    """Return what is wrong with a spell's tests, as warnings: in the order of tests and of what is in them.

    ``details`` has ``test``, ``path`` (a list, from the test on) and, where there are close ones, ``allowed``.
    """
    found: list[Problem] = []
    for id, test in sorted(analysis.spell.tests.items()):
        for path, message, allowed in islice(_faults(test, analysis), MOST_TOLD):
            details: dict[str, Any] = {"test": id, "path": path}
            if allowed is not None:
                details["allowed"] = allowed[:50]
            name = f"the test {test.name or id!r}"
            found.append(
                Problem("invalid_test", f"{name}: {message}", severity="warning", details=details)
            )
    return found


test_problems.__test__ = False  # type: ignore[attr-defined] # pytest collects functions by their names

Fault = tuple[list[str], str, list[str] | None]


def _faults(test: SpellTest, analysis: Analysis) -> Iterator[Fault]:
    for key, value in test.inputs.items():
        try:
            place_inputs(analysis, {key: value})
        except InvalidInput as error:
            allowed = error.details.get("allowed")
            yield ["inputs", key], error.message, allowed if isinstance(allowed, list) else None
    for what, nodes in _named(test):
        for node, ports in sorted(nodes.items()):
            if node not in analysis.spell.nodes:
                known = sorted(analysis.spell.nodes)
                yield [what, node], f"there is no node {node!r}", known
                continue
            yield from _port_faults(what, node, ports, analysis)
            if what == "expect" and node in analysis.regions.of:
                yield (
                    [what, node],
                    f"{node!r} is run inside of another node: expect outputs of that",
                    None,
                )
    for node, expected in sorted(test.expect.items()):
        for port, assertion in sorted(expected.outputs.items()):
            if (fault := assertion_fault(assertion)) is not None:
                yield ["expect", node, "outputs", port], fault, None


def _named(test: SpellTest) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Give the nodes that a test names, with the outputs that it names of each."""
    yield "record", {node: list(each.outputs or ()) for node, each in test.record.items()}
    yield "expect", {node: list(each.outputs) for node, each in test.expect.items()}


def _port_faults(what: str, node: str, ports: list[str], analysis: Analysis) -> Iterator[Fault]:
    part = analysis.parts.get(node)
    if part is None or part.loose:
        return  # nothing is known of its ports, and that is told elsewhere
    allowed = {*part.outputs, *part.node.settings.pins, FAILURE_PORT.name} - {WHOLE_PORT.name}
    for port in sorted(ports):
        if port not in allowed:
            yield [what, node, "outputs", port], f"{node!r} has no output {port!r}", sorted(allowed)


def assertion_fault(assertion: Assertion) -> str | None:
    """Return what is wrong with an assertion itself, or None."""
    if assertion.path is not None:
        try:
            read_path(assertion.path)
        except PathError as error:
            return str(error)
    if isinstance(assertion, Matches) and (fault := schema_fault(assertion.value)) is not None:
        return f"the schema is wrong: {fault}"
    return None
