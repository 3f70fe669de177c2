"""Values on wires: how they become JSON, how large they are, what their hash is.

Nodes in one process may hand any Python object to each other. At an edge
(events, caches, results) a value becomes plain JSON by ``to_json``.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from pathlib import PurePath
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel

from .handles import Handle

REPR_LIMIT = 1_000
"""How many characters of a ``repr`` are kept for a value that has no JSON form."""

DEPTH_LIMIT = 200
"""How deeply lists and objects may nest before the rest is kept as ``$repr``."""

_MAX_JSON_INT = 2**64 - 1
_MIN_JSON_INT = -(2**63)


def to_json(value: Any) -> Any:
    """Return ``value`` as plain JSON values.

    Models, dataclasses and mappings become objects; tuples, sets, arrays and
    frames lists; dates ISO text; bytes a ``data:`` URL; NaN and infinities
    null; half a surrogate pair, which has no UTF-8 form, its escape; anything
    else ``{"$repr": "..."}``. Never raises.
    """
    return _to_json(value, DEPTH_LIMIT)


def _to_json(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and not isinstance(value, Enum):
        return _text(value)
    if isinstance(value, (int, float)) and not isinstance(value, Enum):
        return _number(value)
    if depth <= 0:
        return _shown(value)
    if isinstance(value, Mapping):
        return {_key(k): _to_json(v, depth - 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
        return [_to_json(item, depth - 1) for item in value]
    try:
        return _object(value, depth)
    except Exception:  # noqa: BLE001 - an edge: a foreign object's own methods may do anything
        return _shown(value)


def _text(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _number(value: float) -> Any:
    if isinstance(value, int):
        number = int(value)
        return (
            number
            if _MIN_JSON_INT <= number <= _MAX_JSON_INT
            else float(number)
            if abs(number) < 2**1000
            else None
        )
    return float(value) if math.isfinite(value) else None


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else _text(str(key))


def _object(value: Any, depth: int) -> Any:  # noqa: C901, PLR0912 - a table of kinds reads best as one
    if isinstance(value, Handle):
        return value.to_json()
    if isinstance(value, Enum):
        return _to_json(value.value, depth - 1)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return to_data_url(bytes(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return _number(float(value))
    if isinstance(value, (UUID, PurePath)):
        return str(value)
    if isinstance(value, BaseModel):
        return _to_json(value.model_dump(), depth)
    if isinstance(value, msgspec.Struct):
        return {f: _to_json(getattr(value, f), depth - 1) for f in value.__struct_fields__}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: _to_json(getattr(value, f.name), depth - 1) for f in dataclasses.fields(value)
        }
    if hasattr(value, "_asdict"):
        return _to_json(value._asdict(), depth)
    if isinstance(value, AbstractSet):
        return sorted((_to_json(item, depth - 1) for item in value), key=json_bytes)
    if isinstance(value, BaseException):
        return {"$repr": _text(f"{type(value).__name__}: {value}"[:REPR_LIMIT])}
    for method, arguments in (("to_dicts", ()), ("to_dict", ("records",)), ("tolist", ())):
        if callable(
            getattr(type(value), method, None)
        ):  # polars and pandas frames; numpy and array.array
            return _to_json(getattr(value, method)(*arguments), depth - 1)
    return _shown(value)


def _shown(value: Any) -> dict[str, str]:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - an edge: __repr__ of a foreign object
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return {"$repr": _text(text[:REPR_LIMIT])}


def to_data_url(data: bytes, media_type: str | None = None) -> str:
    """Return bytes as a ``data:`` URL; without a media type, images are known by their first bytes."""
    return f"data:{media_type or _media_type(data)};base64,{base64.b64encode(data).decode('ascii')}"


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def _media_type(data: bytes) -> str:
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


_encoder = msgspec.json.Encoder()
_canonical = msgspec.msgpack.Encoder(order="deterministic")


def json_bytes(value: Any) -> bytes:
    """Return the JSON of ``value``: no spaces, UTF-8, the fields of an object in their own order.

    The order is part of the value: it is the order of a table's columns.
    """
    return _encoder.encode(to_json(value))


def plain_bytes(value: Any) -> bytes | None:
    """Return the JSON of a value that JSON gives back unchanged, else None.

    The test is the round trip itself: what was a tuple, a model, bytes or NaN
    does not come back equal, and so must not be served from a cache of JSON.
    """
    try:
        encoded = _encoder.encode(value)
        return encoded if msgspec.json.decode(encoded) == value else None
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def hash_bytes(data: bytes) -> str:
    """Return BLAKE2b of ``data``: 128 bits, as hex."""
    return blake2b(data, digest_size=16).hexdigest()


def digest(*parts: Any) -> str:
    """Return the hash of plain values together, the keys of objects in any order: what recipes and keys are made by.

    Raises TypeError for a value that MessagePack does not have.
    """
    return hash_bytes(_canonical.encode(parts))


def json_size(value: Any) -> int:
    """Return how many bytes ``value`` takes as JSON."""
    try:
        return len(msgspec.json.encode(value))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return len(json_bytes(value))
