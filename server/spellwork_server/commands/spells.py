"""Spell files from the command line: run them with no server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import spellwork
from spellwork import Limits, RunMemory
from spellwork.errors import SpellUnreadable
from spellwork.reaching import Reach
from spellwork.result import NodeFailure
from spellwork.standalone import MakesEnvironment
from spellwork.values import to_json


def run_spell(
    file: Path,
    inputs: dict[str, Any],
    scope: Sequence[str] | None = None,
    reach: Reach = "needed",
    last: Path | None = None,
    timeout: float | None = None,
    environment: MakesEnvironment | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the outputs {node: {port: value}} as JSON values, and one line for each node that failed.

    ``last`` holds what an earlier run printed, for nodes that stand as they were. ``environment``
    makes that of what the spell requires.
    """
    result = spellwork.run(
        file,
        inputs,
        scope=scope,
        reach=reach,
        memory=None if last is None else RunMemory.of(_outputs_in(last)),
        limits=Limits(seconds=timeout),
        environment=environment,
    )
    outputs = {
        node: {port: to_json(value) for port, value in ports.items()}
        for node, ports in result.outputs.items()
    }
    complaints = [
        f"{node} failed: {_place(failure)}{failure.message} ({failure.code})"
        for node, failure in result.errors.items()
    ]
    complaints += [
        f"{node} was skipped: {reason}" for node, reason in result.skipped.items() if result.errors
    ]
    if result.error is not None:
        complaints.append(f"the run failed: {result.error.message} ({result.error.code})")
    elif result.status != "completed" and not complaints:
        complaints.append(f"the run {result.status}")
    return outputs, complaints


def _place(failure: NodeFailure) -> str:
    """Return where in a node's code something stands, as compilers say it; "" where its words say so, or nowhere."""
    line, column = failure.details.get("line"), failure.details.get("column")
    if not isinstance(line, int) or f"cell line {line}" in failure.message:
        return ""
    return f"line {line}: " if column is None else f"line {line}, column {column}: "


def _outputs_in(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found: dict[str, dict[str, Any]] = msgspec.json.decode(
            file.read_bytes(), type=dict[str, dict[str, Any]]
        )
    except (OSError, msgspec.MsgspecError) as error:
        raise SpellUnreadable(f"{file.name} does not hold the outputs of a run: {error}") from error
    return found
