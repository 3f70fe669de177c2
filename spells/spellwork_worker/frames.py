"""What a worker and its pool say to each other.

A frame is a length (4 bytes, big-endian) and that many bytes of MessagePack: one
of the records below. Nothing is ever pickled. The pool treats what it reads as
untrusted: it checks the length before it reads, and the shape while it decodes.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from .confinement import Confinement
from .parcels import (
    Drop,
    Encoding,
    Fetch,
    Fetched,
    Given,
    Kept,
    Let,
    PageRead,
    ReadPage,
    Refused,
    Shown,
)

HEADER = struct.Struct(">I")
"""The frame's length, before the frame."""

MAX_FRAME = 64 * 1024 * 1024
"""Bytes of the largest frame either side accepts, unless the pool says otherwise."""


class Call(msgspec.Struct, tag="call", frozen=True):
    """Ask for one call. A worker does one at a time.

    ``target`` is ``module:qualname`` of a function, or None when ``code`` is a cell.
    ``unit`` is what reading the code found, for a program that cannot read it.
    ``context`` tells whether the function takes a context first. ``streams`` names
    the inputs that come as Feed frames, for which the worker asks by Pull: None
    for one stream, else how many there are in a list; their names are then
    ``input[0]`` and so on. ``credit`` is how many Chunk frames the worker may
    send before it has to wait for Credit; 0 for any number. ``given`` says what stands
    at places of the inputs that hold None: values that the process keeps, or parcels.
    ``keep``: what is large or no plain value stays in the worker, as ``Kept``; ``previews``:
    somebody looks, so it is shown. ``ports``: the function returns its outputs by name.
    """

    id: int
    inputs: dict[str, Any]
    target: str | None = None
    code: str | None = None
    unit: dict[str, Any] | None = None
    context: bool = False
    node: str = ""
    run: str = ""
    canvas: str | None = None
    user: str | None = None
    settings: dict[str, Any] = {}
    streams: dict[str, int | None] = {}
    credit: int = 0
    given: list[Given] = []
    keep: bool = False
    previews: bool = False
    ports: bool = False


class Feed(msgspec.Struct, tag="feed", frozen=True):
    """The next chunks of a stream that the worker pulled: at least one. The paths of ``given`` begin with a chunk's number."""

    id: int
    stream: str
    chunks: list[Any]
    given: list[Given] = []


class FeedEnd(msgspec.Struct, tag="feed_end", frozen=True):
    """The end of a stream, in place of a Feed. ``error``: why it failed, where it did."""

    id: int
    stream: str
    error: str | None = None
    code: str = "stream_failed"


class Credit(msgspec.Struct, tag="credit", frozen=True):
    """The worker may send so many more chunks."""

    id: int
    chunks: int


class Answer(msgspec.Struct, tag="answer", frozen=True):
    """What came of an Ask of the same call and number: a value, or a failure in words."""

    id: int
    number: int
    value: Any = None
    error: str | None = None
    code: str = ""


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """The worker has set its limits, confined itself, and waits for a call.

    ``pid`` is 0 when a program is still to be started in what is confined: it says Ready again.
    """

    pid: int
    confinement: Confinement = Confinement()
    memory: bool = False
    """Whether parcels may go beside frames, as sealed memory."""
    reads: list[Encoding] = []
    """The encodings beside ``json`` that it can read, with what its environment has."""


class Log(msgspec.Struct, tag="log", frozen=True):
    """Lines that the code printed or logged."""

    id: int
    message: str
    level: str = "info"


class Progress(msgspec.Struct, tag="progress", frozen=True):
    """How far the code is: 0 to 1, or None when it does not know."""

    id: int
    fraction: float | None
    message: str = ""


class Emitted(msgspec.Struct, tag="emitted", frozen=True):
    """A chunk that a function gave to ``ctx.emit`` or ``ctx.send``, beside its result.

    ``sent``: it counts against the credit.
    """

    id: int
    port: str
    value: Any
    sent: bool = False
    kept: Kept | None = None
    """In the place of the value, where that stays in the worker."""


class Ask(msgspec.Struct, tag="ask", frozen=True):
    """The code asks the server to do something for it, such as a request that needs a secret.

    ``number`` tells the asks of a call apart; the Answer may come in any order. ``what`` is one of
    a few words that the server knows ("request"), ``fields`` are what it takes.
    """

    id: int
    number: int
    what: str
    fields: dict[str, Any] = {}


class Pull(msgspec.Struct, tag="pull", frozen=True):
    """The code wants the next chunks of a stream that it reads."""

    id: int
    stream: str


class Streaming(msgspec.Struct, tag="streaming", frozen=True):
    """The result is a stream: Chunk frames follow, then Returned."""

    id: int


class Chunk(msgspec.Struct, tag="chunk", frozen=True):
    """One item of a stream; ``kept`` stands in its place where it stays in the worker."""

    id: int
    value: Any
    kept: Kept | None = None


class Returned(msgspec.Struct, tag="returned", frozen=True):
    """The call is done.

    For a function ``value`` is what it returned; for a cell it maps each output
    to its value, and ``skipped`` names the outputs that got none. ``kept`` has what stays in
    the worker: by output, or under "" the value as a whole.
    """

    id: int
    value: Any = None
    skipped: list[str] = []
    kept: dict[str, Kept] = {}


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The call failed, in words for the person who wrote the code."""

    id: int
    code: str
    message: str
    traceback: str | None = None
    details: dict[str, Any] = {}
    port: str | None = None
    retryable: bool = True


FromWorker = (
    Ready
    | Log
    | Progress
    | Emitted
    | Ask
    | Pull
    | Streaming
    | Chunk
    | Returned
    | Failed
    | Fetched
    | PageRead
    | Refused
    | Let
    | Shown
)
ToWorker = Call | Feed | FeedEnd | Credit | Answer | Drop | Fetch | ReadPage

_encoder = msgspec.msgpack.Encoder()
_pool_decoder: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_worker_decoder: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def encode(record: msgspec.Struct) -> bytes:
    """Return the record as a whole frame.

    Raises:
        TypeError, OverflowError, UnicodeEncodeError: it holds a value that MessagePack cannot.
    """
    body = _encoder.encode(record)
    return HEADER.pack(len(body)) + body


def decode_to_worker(body: bytes) -> ToWorker:
    """Return the record in the body of a frame of the pool."""
    return _pool_decoder.decode(body)


def decode_from_worker(body: bytes) -> FromWorker:
    """Return the record in the body of a worker's frame; msgspec.DecodeError when it is none."""
    return _worker_decoder.decode(body)
