"""Turns what code returns into plain values that can leave the worker.

Plain values are None, booleans, numbers, strings, lists, and maps with string
keys. Tables become lists of records, pictures and bytes become ``data:`` URLs,
NaN and the infinities become None, as in the JSON that every reader gets.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import io
import math
import pathlib
import uuid
from collections import deque
from collections.abc import KeysView, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any

MAX_DEPTH = 100
"""Lists and maps nested deeper than this do not leave the worker (they may hold themselves)."""

_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_ONE_BY_ONE = (list, tuple, AbstractSet, deque, range, KeysView, ValuesView)
_AS_TEXT = (uuid.UUID, pathlib.PurePath, complex)
_DATES = (dt.datetime, dt.date, dt.time)


class NotTransferableError(Exception):
    """A value has a type that cannot leave the worker."""

    def __init__(self, kind: str, where: str, reason: str = "") -> None:
        self.kind = kind
        self.where = where
        self.reason = reason
        super().__init__(
            f"{where or 'the result'} is a {kind}, which cannot leave the worker"
            + (f": {reason}" if reason else "")
        )


def to_plain(value: Any, where: str = "", depth: int = 0) -> Any:
    """Return the value as plain values; ``where`` is its place, for the error.

    Raises:
        NotTransferableError: it, or something in it, has no plain form.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int:
        return value if _INT_MIN <= value <= _INT_MAX else _large(value)
    if depth > MAX_DEPTH:
        raise NotTransferableError(
            name_of(value), where, f"it is nested more than {MAX_DEPTH} deep"
        )
    if kind is dict:
        return {
            _key(key, where): to_plain(item, f"{where}[{key!r}]", depth + 1)
            for key, item in value.items()
        }
    if kind is list:
        return [to_plain(item, f"{where}[{place}]", depth + 1) for place, item in enumerate(value)]
    return _rare(value, where, depth)


def _rare(value: Any, where: str, depth: int) -> Any:
    """Return the plain form of a value that is not plain itself."""
    if isinstance(value, type) or callable(value):
        raise NotTransferableError(name_of(value), where)
    if isinstance(value, enum.Enum):
        return to_plain(value.value, where, depth + 1)
    if isinstance(value, (str, bool, int, float)):
        return to_plain(_base(value), where, depth + 1)
    if hasattr(value, "_asdict"):
        return to_plain(value._asdict(), where, depth + 1)
    if isinstance(value, Mapping):
        return to_plain(dict(value), where, depth + 1)
    if isinstance(value, _ONE_BY_ONE):
        return to_plain(list(value), where, depth + 1)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return data_url(bytes(value))
    if isinstance(value, _DATES):
        return value.isoformat()
    if isinstance(value, (dt.timedelta, decimal.Decimal)):
        seconds = value.total_seconds() if isinstance(value, dt.timedelta) else float(value)
        return to_plain(seconds, where, depth + 1)
    if isinstance(value, _AS_TEXT):
        return str(value)
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return to_plain(fields, where, depth + 1)
    return _foreign(value, where, depth)


def _foreign(value: Any, where: str, depth: int) -> Any:
    """Return the plain form of a library's value, known by its methods: no library is imported here."""
    if hasattr(value, "to_dicts"):  # a polars table
        return to_plain(value.to_dicts(), where, depth + 1)
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a pandas table
        return to_plain(value.to_dict("records"), where, depth + 1)
    if hasattr(value, "isoformat"):  # a pandas timestamp
        return value.isoformat()
    if hasattr(value, "tolist"):  # numpy arrays and numbers, pandas and polars columns
        return to_plain(value.tolist(), where, depth + 1)
    if hasattr(value, "to_list"):
        return to_plain(value.to_list(), where, depth + 1)
    if hasattr(value, "model_dump"):  # a pydantic model
        return to_plain(value.model_dump(mode="json"), where, depth + 1)
    if hasattr(value, "savefig"):  # a matplotlib figure
        picture = io.BytesIO()
        value.savefig(picture, format="png")
        return data_url(picture.getvalue(), "image/png")
    if hasattr(value, "_repr_png_"):  # a Pillow picture
        return data_url(value._repr_png_(), "image/png")
    if hasattr(value, "to_dict"):  # an Altair chart
        return to_plain(value.to_dict(), where, depth + 1)
    raise NotTransferableError(name_of(value), where)


_OF_PLAIN_FORM = (
    *(str, bool, int, float, enum.Enum, Mapping, *_ONE_BY_ONE, bytes, bytearray, memoryview),
    *(*_DATES, dt.timedelta, decimal.Decimal, *_AS_TEXT),
)
_PLAIN_BY = ("_asdict", "to_dicts", "isoformat", "tolist", "to_list", "model_dump", "to_dict")


def has_plain_form(value: Any) -> bool:
    """Say whether ``to_plain`` knows the type of a value; what is in it may still have no plain form."""
    if value is None or isinstance(value, _OF_PLAIN_FORM):
        return True
    if isinstance(value, type) or callable(value):
        return False
    shown = hasattr(value, "savefig") or hasattr(value, "_repr_png_")
    return shown or dataclasses.is_dataclass(value) or any(hasattr(value, n) for n in _PLAIN_BY)


def data_url(data: bytes, media_type: str = "application/octet-stream") -> str:
    """Return the bytes as a ``data:`` URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _large(value: int) -> float | None:
    """Return the nearest float: MessagePack and browsers have no whole numbers beyond 64 bits."""
    try:
        return float(value)
    except OverflowError:
        return None


def _base(value: Any) -> Any:
    """Return an instance of a subclass of a plain type as that plain type."""
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    return value


def _key(key: Any, where: str) -> str:
    """Return a map's key as text."""
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, (bool, int, float)):
        return "null" if key is None else str(key).lower() if isinstance(key, bool) else str(key)
    if isinstance(key, _DATES):
        return key.isoformat()
    if isinstance(key, (enum.Enum, *_AS_TEXT, tuple)) or hasattr(key, "item"):
        return str(key)
    raise NotTransferableError(name_of(key), f"a key of {where or 'the result'}")


def name_of(value: Any) -> str:
    """Return the name of the value's type as its author knows it."""
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ in ("builtins", "__main__", "cell")
        else f"{kind.__module__}.{kind.__qualname__}"
    )
