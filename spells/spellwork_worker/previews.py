"""What is shown of a value that stays in the worker: its head, small, and made in little time."""

from __future__ import annotations

import io
import reprlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgspec

from .encoders import data_url, is_array, is_table, media_type, to_bytes
from .tables import columns_of, length_of, records
from .values import NotTransferableError, to_plain

SECONDS = 0.2
"""Time that a preview may take."""

BYTES = 64 * 1024
"""JSON of a preview."""

ROWS = 20
COLUMNS = 50
ITEMS = 50
CHARACTERS = 2_000
SIDE = 320
"""Pixels of a picture's longer side."""


class TookTooLong(BaseException):
    """A preview was given up. No Exception: what a value's own methods catch shall not stop it."""


def preview_of(value: Any) -> dict[str, Any]:
    """Return the preview of a value, see ``Kept``. Never raises; what takes too long is its type's name."""
    try:
        with _within(SECONDS):
            found = _preview(value)
            if len(msgspec.json.encode(found)) <= BYTES:
                return found
    except TookTooLong:
        return {"form": "text", "text": f"<{type(value).__name__}>"}
    except Exception:  # noqa: BLE001, S110 - a foreign object's own methods may do anything
        pass
    return _text(value)


def _preview(value: Any) -> dict[str, Any]:
    if is_table(value):
        return _table(value)
    if is_array(value):
        return _array(value)
    if (picture := _picture(value)) is not None:
        return picture
    if isinstance(value, (list, tuple)):
        head = [_item(item) for item in value[:ITEMS]]
        return {"form": "list", "values": head, "total": len(value)}
    if isinstance(value, (set, frozenset)):
        return {
            "form": "list",
            "values": [_item(i) for i in islice(value, ITEMS)],
            "total": len(value),
        }
    if isinstance(value, dict):
        fields = {str(key)[:200]: _item(item) for key, item in islice(value.items(), ITEMS)}
        return {"form": "object", "value": fields, "total": len(value)}
    if isinstance(value, str):
        return {"form": "text", "text": value[:CHARACTERS]}
    return _text(value)


def _table(value: Any) -> dict[str, Any]:
    return {
        "form": "table",
        "columns": columns_of(value)[:COLUMNS],
        "rows": [
            {name: _item(cell) for name, cell in islice(row.items(), COLUMNS)}
            for row in records(value, 0, ROWS)
        ],
        "total": length_of(value),
    }


def _array(value: Any) -> dict[str, Any]:
    head = value
    for axis in range(value.ndim):
        head = head[(slice(None),) * axis + (slice(0, 10 if axis < 3 else 2),)]
    return {
        "form": "array",
        "dtype": str(value.dtype),
        "shape": list(value.shape),
        "values": to_plain(head.tolist()),
    }


def _picture(value: Any) -> dict[str, Any] | None:
    if hasattr(value, "thumbnail") and hasattr(value, "getbands"):  # Pillow
        width, height = value.size
        small = value.convert("RGBA" if "A" in value.getbands() else "RGB")
        for side in (SIDE, SIDE // 2, SIDE // 4):
            if max(small.size) > side:
                small = small.reduce(-(-max(small.size) // side))
            file = io.BytesIO()
            small.save(file, "PNG")
            if file.tell() < BYTES // 2:
                break
        return {
            "form": "image",
            "image": data_url("image/png", file.getvalue()),
            "width": width,
            "height": height,
        }
    mime = media_type(value)
    if mime is None or not mime.startswith("image/"):
        return None
    mime, data = _small_picture(value)
    return {"form": "image", "image": data_url(mime, data), "width": None, "height": None}


def _small_picture(value: Any) -> tuple[str, bytes]:
    if not hasattr(value, "savefig"):
        return to_bytes(value)
    file = io.BytesIO()
    value.savefig(file, format="png", dpi=60)
    return "image/png", file.getvalue()


def _item(value: Any) -> Any:
    """Return one item or cell, cut short."""
    if value is None or isinstance(value, (bool, int, float)):
        return to_plain(value)
    if isinstance(value, str):
        return value[:200]
    try:
        plain = to_plain(value)
    except NotTransferableError:
        return _repr(value, 200)
    if isinstance(plain, str):
        return plain[:200]
    return plain if len(msgspec.json.encode(plain)) <= 1_000 else _repr(value, 200)


def _text(value: Any) -> dict[str, Any]:
    try:
        with _within(SECONDS):
            return {"form": "text", "text": _repr(value, CHARACTERS)}
    except (Exception, TookTooLong):  # noqa: BLE001 - __repr__ of a foreign object
        return {"form": "text", "text": f"<{type(value).__name__}>"}


def _repr(value: Any, length: int) -> str:
    short = reprlib.Repr()
    short.maxother = short.maxstring = short.maxlong = length
    text = short.repr(value)[:length]
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise TookTooLong in what takes longer: between two steps of Python, in the main thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    left = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *left)
        signal.signal(signal.SIGALRM, before)
