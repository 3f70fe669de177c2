"""The typed encodings in which a value crosses a boundary, and how it is read again.

Nothing that is read here runs code: JSON, bytes with a MIME type, Arrow IPC streams, and
NumPy's format without objects. Libraries are used as far as they are there: a value's own
one is loaded already, a reader's is looked for by name. Where the library that made a
value is missing, who reads gets the nearest there is (a table as records).
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import io
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

import msgspec

from .keeping import kind_of, size_of
from .memory import BESIDE, Memory
from .parcels import Encoding, Parcel
from .values import NotTransferableError, has_plain_form, name_of, to_plain

Write = Callable[[IO[bytes]], Any]
"""Writes an encoded value into a file."""

_PICTURES = (("_repr_png_", "image/png"), ("_repr_svg_", "image/svg+xml"))
"""How libraries show a value as a picture. Their HTML is no value, only a look at one."""

_json = msgspec.json.Encoder()


class EncodingTooLargeError(Exception):
    """An encoded value is larger than who asked for it takes."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"the value is {size:,} bytes; at most {limit:,} can leave the worker so")


def readable() -> list[Encoding]:
    """Return the encodings beside JSON that this environment can read; imports nothing."""
    found: list[Encoding] = ["bytes"]
    if _has("pyarrow") or _has("polars"):
        found.append("arrow")
    if _has("numpy"):
        found.append("npy")
    return found


def encodings_of(value: Any) -> list[Encoding]:
    """Return the encodings that a value has, the best first, judged by its type alone."""
    if isinstance(value, (bytes, bytearray, memoryview)) or media_type(value) is not None:
        return ["bytes", "json"]
    if is_table(value):
        return ["arrow", "json"] if _has("pyarrow") or _has("polars") else ["json"]
    if is_array(value):
        return ["npy", "json"]
    return ["json"] if has_plain_form(value) else []


def is_table(value: Any) -> bool:
    """Say whether it is a table with named columns."""
    return (
        not isinstance(value, type)
        and hasattr(value, "columns")
        and (hasattr(value, "__arrow_c_stream__") or hasattr(value, "to_dict"))
    )


def is_array(value: Any) -> bool:
    """Say whether it is a NumPy array of something else than objects."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray) and not value.dtype.hasobject


def media_type(value: Any) -> str | None:
    """Return the MIME type of what a value can be shown as, such as a picture, or None."""
    if isinstance(value, type) or is_table(value) or is_array(value):
        return None
    if hasattr(value, "savefig"):  # a matplotlib figure
        return "image/png"
    if callable(getattr(value, "_mime_", None)):
        try:
            return str(value._mime_()[0])
        except Exception:  # noqa: BLE001 - a foreign object's own method
            return None
    return next((mime for name, mime in _PICTURES if callable(getattr(value, name, None))), None)


def encode(
    value: Any, wanted: Sequence[Encoding], limit: int = 0, memory: Memory | None = None
) -> Parcel:
    """Return a value in the first of the wanted encodings that it has; a large one is put into ``memory``.

    Raises:
        NotTransferableError: it has none of them.
        EncodingTooLargeError: it is larger than ``limit`` (0 for any size).
    """
    reason: Exception | None = None
    for encoding in wanted:
        if encoding not in encodings_of(value):
            continue
        try:
            mime, write = _WRITERS[encoding](value)
            return _packed(value, encoding, mime, write, limit, memory)
        except EncodingTooLargeError:
            raise
        except NotTransferableError as error:
            reason = reason or error
        except Exception as error:  # noqa: BLE001 - a library refuses what it cannot write
            reason = reason or error
    if isinstance(reason, NotTransferableError):
        raise reason
    raise NotTransferableError(name_of(value), "the value", str(reason or ""))


def _packed(
    value: Any, encoding: Encoding, mime: str, write: Write, limit: int, memory: Memory | None
) -> Parcel:
    kind = kind_of(value)
    if memory is not None:
        try:
            size = memory.fill(write)
        except OSError as error:
            raise EncodingTooLargeError(size_of(value), limit) from error
        if size > BESIDE:
            return Parcel(encoding, size, kind, mime)
    file = io.BytesIO()
    write(file)
    data = file.getvalue()
    if limit and len(data) > limit:
        raise EncodingTooLargeError(len(data), limit)
    return Parcel(encoding, len(data), kind, mime, data)


# Writing


def _write_json(value: Any) -> tuple[str, Write]:
    body = _json.encode(to_plain(value))
    return "application/json", lambda file: file.write(body)


def _write_bytes(value: Any) -> tuple[str, Write]:
    mime, data = to_bytes(value)
    return mime, lambda file: file.write(data)


def to_bytes(value: Any) -> tuple[str, bytes]:
    """Return a value as bytes with their MIME type."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "application/octet-stream", bytes(value)
    mime = media_type(value)
    if hasattr(value, "savefig"):
        picture = io.BytesIO()
        value.savefig(picture, format="png")
        return "image/png", picture.getvalue()
    if callable(getattr(value, "_mime_", None)):
        mime, data = value._mime_()
    else:
        name = next(name for name, kind in _PICTURES if kind == mime)
        data = getattr(value, name)()
    if data is None:
        raise NotTransferableError(name_of(value), "the value", "it shows nothing")
    return str(mime), data.encode() if isinstance(data, str) else bytes(data)


def _write_arrow(value: Any) -> tuple[str, Write]:
    mime = "application/vnd.apache.arrow.stream"
    if type(value).__module__.partition(".")[0] == "polars" and hasattr(value, "write_ipc_stream"):
        return mime, value.write_ipc_stream
    if _has("pyarrow"):
        pyarrow = importlib.import_module("pyarrow")
        table = _arrow_table(pyarrow, value)

        def write(file: IO[bytes]) -> None:
            with pyarrow.ipc.new_stream(file, table.schema) as stream:
                stream.write_table(table)

        return mime, write
    polars = importlib.import_module("polars")
    return mime, polars.DataFrame(value).write_ipc_stream


def _arrow_table(pyarrow: Any, value: Any) -> Any:
    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return pyarrow.Table.from_pandas(value)
    return pyarrow.table(value)


def _write_array(value: Any) -> tuple[str, Write]:
    numpy = importlib.import_module("numpy")
    return "application/x-npy", lambda file: _save(numpy, file, value)


def _save(numpy: Any, file: IO[bytes], value: Any) -> None:
    """Write the header and then the array's own memory: ``numpy.save`` makes a copy for a file it does not know."""
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    value = numpy.asarray(value, order=order)
    header = numpy.lib.format.header_data_from_array_1_0(value)
    numpy.lib.format.write_array_header_2_0(file, header)
    flat = value.T if order == "F" else value
    file.write(memoryview(flat.reshape(-1).view(numpy.uint8)))


_WRITERS: dict[str, Callable[[Any], tuple[str, Write]]] = {
    "json": _write_json,
    "bytes": _write_bytes,
    "arrow": _write_arrow,
    "npy": _write_array,
}


# Reading


def decode(parcel: Parcel, memory: Memory | None) -> Any:
    """Return the value in a parcel, as its author's library makes it where that is there.

    Raises:
        NotTransferableError: it is not what it says it is, or nothing here can read it.
    """
    data = parcel.data if memory is None else memory.view()
    if data is None or len(data) != parcel.size:
        raise NotTransferableError(parcel.kind, "the value", "its bytes did not come")
    try:
        return _READERS[parcel.encoding](parcel, data)
    except NotTransferableError:
        raise
    except Exception as error:
        raise NotTransferableError(parcel.kind, "the value", str(error)) from error


def _read_json(_parcel: Parcel, data: Any) -> Any:
    return msgspec.json.decode(data)


def _read_bytes(parcel: Parcel, data: Any) -> Any:
    if parcel.kind.startswith("PIL.") and parcel.mime == "image/png" and _has("PIL"):
        picture = importlib.import_module("PIL.Image").open(io.BytesIO(bytes(data)))
        picture.load()
        return picture
    if parcel.kind == "bytearray":
        return bytearray(data)
    return bytes(data).decode() if parcel.mime.startswith("text/") else bytes(data)


def _read_arrow(parcel: Parcel, data: Any) -> Any:
    family = parcel.kind.partition(".")[0]
    if _has("pyarrow") and (family != "polars" or not _has("polars")):
        pyarrow = importlib.import_module("pyarrow")
        with importlib.import_module("pyarrow.ipc").open_stream(pyarrow.py_buffer(data)) as stream:
            table = stream.read_all()
        return table.to_pandas() if family == "pandas" and _has("pandas") else table
    polars = importlib.import_module("polars")
    table = polars.read_ipc_stream(io.BytesIO(data))
    return table.to_pandas() if family == "pandas" and _has("pandas") else table


def _read_array(_parcel: Parcel, data: Any) -> Any:
    numpy = importlib.import_module("numpy")
    file = io.BytesIO(data[:65_536])  # a header is shorter
    version = numpy.lib.format.read_magic(file)
    read = (
        numpy.lib.format.read_array_header_1_0
        if version == (1, 0)
        else numpy.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise NotTransferableError(
            "numpy.ndarray", "the value", "an array of objects is never read"
        )
    return numpy.ndarray(
        shape, dtype, buffer=data, offset=file.tell(), order="F" if fortran else "C"
    )


_READERS: dict[str, Callable[[Parcel, Any], Any]] = {
    "json": _read_json,
    "bytes": _read_bytes,
    "arrow": _read_arrow,
    "npy": _read_array,
}


def data_url(mime: str, data: bytes) -> str:
    """Return bytes as a ``data:`` URL."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _has(name: str) -> bool:
    if name in sys.modules:
        return sys.modules[name] is not None
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
