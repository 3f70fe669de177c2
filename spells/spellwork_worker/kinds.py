"""The types that hints name, by the name they are imported under, as JSON Schema of their plain form.

A table of pandas or polars is a list of records (``format: table``, as in the core
pack), an array of NumPy a list with ``format: ndarray``: the format names the kind,
since what is in it no hint tells.
"""

from __future__ import annotations

from typing import Any

_LIST: dict[str, Any] = {"type": "array"}
_MAP: dict[str, Any] = {"type": "object"}
_NUMBER: dict[str, Any] = {"type": "number"}
_TABLE: dict[str, Any] = {"type": "array", "items": {"type": "object"}, "format": "table"}
_ARRAY: dict[str, Any] = {"type": "array", "format": "ndarray"}

ITEMS_OF = frozenset(
    {"list", "List", "set", "Set", "frozenset", "FrozenSet", "Sequence", "MutableSequence"}
    | {"Iterable", "Collection", "AbstractSet", "MutableSet", "deque", "Deque", "Series"}
)
"""Types whose first argument is what their items are."""

LISTS: dict[str, dict[str, Any]] = {
    "set": {"uniqueItems": True},
    "Set": {"uniqueItems": True},
    "frozenset": {"uniqueItems": True},
    "FrozenSet": {"uniqueItems": True},
}

MAPS = frozenset(
    {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict"}
)
"""Types whose second argument is what their values are."""

TRANSPARENT = frozenset(
    {"Final", "Required", "NotRequired", "ReadOnly", "Awaitable", "Coroutine", "InitVar"}
)
"""Types that say something about a value of their first argument's type."""

READ = frozenset({"Iterator", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"})
"""Types of parameters that take a stream's chunks as they come."""

STREAMS = READ | {"Iterable"}
"""Types of results whose items are a stream's chunks."""

PLAIN: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": _NUMBER,
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "NoneType": {"type": "null"},
    "tuple": _LIST,
    "Tuple": _LIST,
    **{name: _LIST | LISTS.get(name, {}) for name in ITEMS_OF},
    **dict.fromkeys((*MAPS, "Counter"), _MAP),
    "bytes": {"type": "string", "format": "binary"},
    "bytearray": {"type": "string", "format": "binary"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "Timestamp": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "timedelta": _NUMBER,
    "Decimal": _NUMBER,
    "UUID": {"type": "string", "format": "uuid"},
    "Path": {"type": "string", "format": "path"},
    "PurePath": {"type": "string", "format": "path"},
    "complex": {"type": "string"},
    "LiteralString": {"type": "string"},
    "DataFrame": _TABLE,
    "LazyFrame": _TABLE,
    "ndarray": _ARRAY,
    "NDArray": _ARRAY,
    "ArrayLike": _ARRAY,
}
