"""What a server and an external worker say to each other: one record to a binary WebSocket message, in MessagePack.

The server believes nothing of what it reads: its size, its shape and what it says are
checked. Values are plain JSON. Nothing is ever pickled.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

PROTOCOL = 2

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of the largest message either side takes."""

CREDIT = 64
"""Chunks that a worker may send before it has to wait for Credit."""


class _Record(msgspec.Struct, tag_field="t", omit_defaults=True):
    pass


class Hello(_Record, tag="hello"):
    """The worker says what it is: ``pack`` as ``declaring.pack_declaration``, its configuration without secrets.

    ``schema`` is that of its configuration, ``secrets`` the fields that were left out.
    """

    protocol: int
    pack: dict[str, Any]
    schema: dict[str, Any]
    config: dict[str, Any]
    secrets: list[str] = []


class Log(_Record, tag="log"):
    """A line of a call."""

    id: int
    message: str
    level: str = "info"


class Progress(_Record, tag="progress"):
    """How far a call is: 0 to 1, or None."""

    id: int
    fraction: float | None
    message: str = ""


class Chunk(_Record, tag="chunk"):
    """A piece of an output; it takes credit."""

    id: int
    port: str
    value: Any


class Pull(_Record, tag="pull"):
    """The method has taken what came of a stream that it reads, and wants more: Feed or FeedEnd answers."""

    id: int
    stream: str


class Returned(_Record, tag="returned"):
    """A call has ended: its outputs by port. Where it was a generator, its chunks are the first output."""

    id: int
    outputs: dict[str, Any]
    streamed: bool = False


class Failed(_Record, tag="failed"):
    """A call has failed, or what was asked cannot be done."""

    id: int
    code: str
    message: str
    traceback: str | None = None
    port: str | None = None
    details: dict[str, Any] = {}
    retryable: bool = True


class Answer(_Record, tag="answer"):
    """What an Ask gave."""

    id: int
    value: Any


FromExternal = Hello | Log | Progress | Chunk | Pull | Returned | Failed | Answer


class Welcome(_Record, tag="welcome"):
    """The server took the worker in. ``name`` is what people know it by there."""

    name: str


class Call(_Record, tag="call"):
    """Call a method: ``type`` is the id of its node type.

    ``streams`` are inputs that are read as streams: None, or how many where several are wired there
    (``PORT[0]`` and so on).
    """

    id: int
    type: str
    version: int
    inputs: dict[str, Any]
    node: str = ""
    run: str = ""
    canvas: str | None = None
    user: str | None = None
    streams: dict[str, int | None] = {}


class Feed(_Record, tag="feed"):
    """The next chunks of a stream that a method reads, at least one."""

    id: int
    stream: str
    chunks: list[Any]


class FeedEnd(_Record, tag="feed_end"):
    """A stream has ended: with ``error`` and its ``code``, where who fills it failed."""

    id: int
    stream: str
    error: str | None = None
    code: str = ""


class Credit(_Record, tag="credit"):
    """So many more chunks may come."""

    id: int
    chunks: int


class Cancel(_Record, tag="cancel"):
    """Nobody waits for that call any more."""

    id: int


class Ask(_Record, tag="ask"):
    """Do something to the object itself: ``configure`` (value: the configuration), ``export``, ``import`` (both)."""

    id: int
    what: Literal["configure", "export", "import"]
    value: Any = None


ToExternal = Welcome | Call | Feed | FeedEnd | Credit | Cancel | Ask

_encoder = msgspec.msgpack.Encoder()
_from_external: msgspec.msgpack.Decoder[FromExternal] = msgspec.msgpack.Decoder(FromExternal)
_to_external: msgspec.msgpack.Decoder[ToExternal] = msgspec.msgpack.Decoder(ToExternal)


def encode(record: FromExternal | ToExternal) -> bytes:
    """Return a record as a message; TypeError, ValueError or OverflowError for what MessagePack cannot say."""
    return _encoder.encode(record)


def decode_from_external(message: bytes) -> FromExternal:
    """Return what a worker said; msgspec.DecodeError or RecursionError for what is no record."""
    return _from_external.decode(message)


def decode_to_external(message: bytes) -> ToExternal:
    """Return what a server said; msgspec.DecodeError or RecursionError for what is no record."""
    return _to_external.decode(message)
