"""What came, as inputs of the spell: values as they are, or what lies at a path in it. Nothing is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spellwork.paths import PathError, pick, read_path

FROM = "$from"

OFFERED: Mapping[str, tuple[str, ...]] = {
    "cron": ("due",),
    "interval": ("due",),
    "webhook": ("body", "headers", "id", "due"),
    "poll": ("value", "previous", "due"),
    "event": ("run", "canvas", "status", "errors", "outputs", "due"),
}
"""What each kind brings: the first name of a path. ``due`` is a time in Unix seconds."""

MAX_PATH = 1_000


def path_of(value: Any) -> list[Any] | None:
    """Return the parts of the path that a value stands for; None for one that is meant as it is. Raises PathError."""
    if not isinstance(value, dict) or FROM not in value:
        return None
    path = value[FROM]
    if len(value) > 1 or not isinstance(path, str) or len(path) > MAX_PATH:
        raise PathError(f'write {{"{FROM}": "a.b[0]"}}, a path and nothing else')
    return read_path(path)


def check_inputs(kind: str, inputs: Mapping[str, Any]) -> None:
    """Raise PathError where an input names what such a trigger never brings."""
    for name, value in inputs.items():
        parts = path_of(value)
        if parts is not None and (not parts or parts[0] not in OFFERED[kind]):
            raise PathError(f"{name}: a path begins with one of {', '.join(OFFERED[kind])}")


def wanted_outputs(inputs: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the node and port of each output of another canvas's run that inputs take.

    What nodes ran inside themselves (a path such as ``sub/x``) is nobody's to take: it may be of canvases
    that whose trigger it is may not read.
    """
    found = set()
    for value in inputs.values():
        parts = path_of(value)
        if parts is not None and len(parts) > 2 and parts[0] == "outputs":
            node = str(parts[1])
            if "/" not in node and "[" not in node:
                found.add((node, str(parts[2])))
    return found


def mapped(inputs: Mapping[str, Any], came: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a run. Raises PathError, naming the input whose path leads nowhere."""
    found = {}
    for name, value in inputs.items():
        try:
            parts = path_of(value)
            found[name] = value if parts is None else pick(came, parts)
        except PathError as error:
            raise PathError(f"{name}: {error}") from error
    return found
