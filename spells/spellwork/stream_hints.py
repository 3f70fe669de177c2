"""Which type hints make an input a stream, and what its whole is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterator
from typing import Any, get_args, get_origin

from .errors import NodeTypeInvalid
from .node_type import Form

_ASYNC = (AsyncIterator, AsyncIterable, AsyncGenerator)
_BLOCKING = (Iterator, Generator)


def whole_of(id: str, name: str, hint: Any, form: Form, *, many: bool) -> Any | None:
    """Return the type of the whole of an input that takes a stream, None where the hint asks for none.

    A coroutine takes an ``AsyncIterator[T]``, a function in a thread or worker
    an ``Iterator[T]``; with ``many``, a list of them. The whole of texts is a
    text, of bytes bytes, of anything else a list.

    Raises:
        NodeTypeInvalid: a function that cannot wait for chunks asks for them.
    """
    if many and get_origin(hint) is list:
        whole = whole_of(id, name, get_args(hint)[0], form, many=False)
        return None if whole is None else list[whole]  # type: ignore[valid-type]
    origin = get_origin(hint) or hint
    waits = form in ("async", "async generator")
    if origin in _ASYNC and not waits:
        raise NodeTypeInvalid(
            f"node type {id!r}: {name!r} is a stream; a function that is no coroutine takes Iterator[...]"
        )
    if origin not in (_ASYNC if waits else _BLOCKING):
        return None
    item: Any = (get_args(hint) or (Any,))[0]
    return Any if item is Any else item if item in (str, bytes) else list.__class_getitem__(item)
