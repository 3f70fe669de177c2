"""Make another type of a value, and never guess: what has no one meaning is refused.

``client/src/engine/casting.ts`` does the same; ``tests/cases/transforms.json`` holds for both.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from .values import to_json

Target = Literal["string", "number", "integer", "boolean", "list", "object"]

_BLANK = " \t\r\n"
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"[+-]?[0-9]{1,18}")
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_JSON_TYPES = (dict, list, str, int, bool, type(None))
_SHOWN = 60


class CastError(ValueError):
    """A value that cannot be made into the type asked for; the message says which and why."""


def plain(value: Any) -> Any:
    """Return a value as plain JSON, itself where it is that already; NaN and infinities are null."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    return value if type(value) in _JSON_TYPES else to_json(value)


def cast(value: Any, to: Target) -> Any:
    """Return ``value`` as another type. Raises CastError.

    A number becomes an integer only when it is whole; a list is made of
    anything else as its one item; an object is read from JSON text.
    """
    value = plain(value)
    if value is None:
        raise CastError("null cannot be cast; put a default before it")
    return _CASTS[to](value)


def shown(value: Any) -> str:
    """Return a value as short JSON text, for messages."""
    text = json_text(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def json_text(value: Any) -> str:
    """Return compact JSON, its numbers written as JavaScript writes them."""
    value = plain(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, dict):
        fields = (
            f"{json.dumps(str(key), ensure_ascii=False)}:{json_text(item)}"
            for key, item in value.items()
        )
        return "{" + ",".join(fields) + "}"
    return "null" if value is None else _scalar_text(value)


def _scalar_text(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    shortest = Decimal(repr(value)).normalize()
    if 1e-6 <= abs(value) < 1e21:
        return format(shortest, "f")
    sign, digits, exponent = shortest.as_tuple()
    power = int(exponent) + len(digits) - 1
    rest = "".join(map(str, digits[1:]))
    mantissa = f"{digits[0]}.{rest}" if rest else str(digits[0])
    return f"{'-' if sign else ''}{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json_text(to_json(value))


def _number(value: Any) -> float:
    if isinstance(value, (bool, int, float)):
        return int(value) if isinstance(value, bool) else value
    text = value.strip(_BLANK) if isinstance(value, str) else ""
    if _DIGITS.fullmatch(text):
        return int(text)
    if len(text) <= 400 and _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    raise CastError(f"{shown(value)} is no number")


def _integer(value: Any) -> int:
    number = _number(value)
    if isinstance(number, int) or number.is_integer():
        return int(number)
    raise CastError(f"{shown(value)} is no whole number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    word = value.strip(_BLANK).lower() if isinstance(value, str) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise CastError(f"{shown(value)} is neither true nor false")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        try:
            read = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            return read
    raise CastError(f"{shown(value)} is no object")


_CASTS: Mapping[Target, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "list": _list,
    "object": _object,
}
