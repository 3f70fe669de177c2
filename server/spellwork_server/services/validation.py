"""Say what was wrong with a request, field by field, and what would have been right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from spellwork.findings import findings

MAX_ERRORS = 20
"""Errors listed at most; a payload of rubbish gets no answer larger than itself."""


def field_errors(error: ValidationError, model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return ``[{field, message, allowed?}]`` for pydantic's ``error``. Input values are not echoed."""
    return [_field_error(each, model) for each in findings(error)[:MAX_ERRORS]]


def _field_error(each: Any, model: type[BaseModel]) -> dict[str, Any]:
    location: Iterable[Any] = each["loc"]
    answer: dict[str, Any] = {
        "field": ".".join(str(part) for part in location),
        "message": each["msg"],
    }
    allowed = _allowed(each, model)
    if allowed is not None:
        answer["allowed"] = allowed
    return answer


def _allowed(each: Any, model: type[BaseModel]) -> Any:
    context = each.get("ctx", {})
    match each["type"]:
        case "extra_forbidden":
            return _fields_at(each["loc"][:-1], model)
        case "literal_error" | "enum":
            return context.get("expected")
        case "union_tag_invalid":
            return context.get("expected_tags")
        case _:
            limits = {
                key: value for key, value in context.items() if isinstance(value, int | float | str)
            }
            return limits or None


def _fields_at(location: tuple[Any, ...], model: type[BaseModel]) -> list[str] | None:
    """Return the names a model knows at ``location``; None where that is not a plain nested model."""
    current: Any = model
    for part in location:
        annotation = current.model_fields[part].annotation if part in current.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        current = annotation
    return [field.alias or name for name, field in current.model_fields.items()]
