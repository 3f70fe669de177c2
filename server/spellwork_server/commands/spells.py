"""Spell files from the command line: run them with no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import spellwork
from spellwork.values import to_json


def run_spell(file: Path, inputs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the outputs {node: {port: value}} as JSON values, and one line for each node that failed."""
    result = spellwork.run(file, inputs)
    outputs = {
        node: {port: to_json(value) for port, value in ports.items()}
        for node, ports in result.outputs.items()
    }
    complaints = [
        f"{node} failed: {failure.message} ({failure.code})"
        for node, failure in result.errors.items()
    ]
    complaints += [
        f"{node} was skipped: {reason}" for node, reason in result.skipped.items() if result.errors
    ]
    if result.status != "completed" and not complaints:
        complaints.append(f"the run {result.status}")
    return outputs, complaints
