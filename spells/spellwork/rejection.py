"""Why a value does not fit an input, in words for whoever gave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from .casting import shown as beginning
from .encoding import weight
from .errors import InputRejected, InvalidInput
from .findings import findings
from .node_type import NodeType
from .step import Step

_WRITTEN = 100
"""Weight of a value from which no more of it is written than its beginning."""


def accepted(validate: Callable[[Any], Any], value: Any, what: str, port: str) -> Any:
    """Return what a node gets of a value that came on ``port``; raises InputRejected about ``what``."""
    try:
        return validate(value)
    except ValidationError as error:
        raise InputRejected(f"{what} {why_rejected(error, value)}", port=port) from error


def given_to(step: Step, port: str, key: str, value: Any) -> Any:
    """Return what a step gets of a value that a run was given under ``key``; raises InvalidInput."""
    adapter = step.type.adapters.get(port)
    try:
        return value if adapter is None else adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidInput(
            f"the input {key!r}: {port!r} of node {step.id!r} {why_rejected(error, value)}",
            details={"input": key, "node": step.id, "port": port},
        ) from error


def rejection(declared: NodeType, port: str, value: Any) -> str | None:
    """Return why a value does not fit an input of a type, or None when it does."""
    adapter = declared.adapters.get(port)
    if adapter is None:
        return None
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return why_rejected(error, value)
    return None


def why_rejected(error: ValidationError, value: Any) -> str:
    """Return pydantic's first finding as the end of a sentence about a value."""
    first = findings(error, context=False)[0]
    place = "".join(f"[{part!r}]" for part in first["loc"])
    shown = repr(value) if weight(value, _WRITTEN) < _WRITTEN else beginning(value)
    return f"cannot be {shown if len(shown) <= 80 else shown[:77] + '...'}{' at ' + place if place else ''}: {first['msg']}"
