"""The messages of y-websocket: what a peer says, read strictly, and what it is told.

A message is a kind and its fields in lib0's encoding, one to a WebSocket frame:
https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md, with the kinds of
https://github.com/yjs/y-websocket/blob/master/src/y-websocket.js.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from spellwork_server.errors import BadRequest
from spellwork_server.rooms.lib0 import Malformed, Reader, write_bytes, write_uint

SYNC, AWARENESS, AUTH, QUERY_AWARENESS = 0, 1, 2, 3
STEP_1, STEP_2, UPDATE = 0, 1, 2
PERMISSION_DENIED = 0

Kind = Literal["step 1", "step 2", "update", "awareness", "query awareness"]

KINDS: dict[int, Kind] = {AWARENESS: "awareness", QUERY_AWARENESS: "query awareness"}
SYNC_KINDS: dict[int, Kind] = {STEP_1: "step 1", STEP_2: "step 2", UPDATE: "update"}

SHORT_UPDATE = bytes((SYNC, UPDATE))
"""How the message of an edit begins."""

NOBODY = bytes((AWARENESS, 1, 0))
"""Awareness of nobody: changes nothing, and shows a provider that the connection is alive."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a peer says. ``body`` is a state vector, a Yjs update or an awareness update."""

    kind: Kind
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Told:
    """What an awareness update says of one client; ``entry`` is that part as an update of its own."""

    client: int
    entry: bytes


def read_message(data: bytes) -> Message:
    """Read one message to its last byte. Raises BadRequest."""
    reader = Reader(data)
    try:
        kind = _read_kind(reader)
        body = b"" if kind == "query awareness" else _read_body(reader)
        if not reader.at_end:
            raise reader.wrong("bytes follow its end")
    except (Malformed, IndexError) as error:
        raise _malformed("y-websocket message", error) from error
    return Message(kind, body)


def short_update(data: bytes) -> bytes | None:
    """Return the edit in a well-formed message of at most 130 bytes; None for any other message."""
    if data[:2] != SHORT_UPDATE or len(data) < 3 or data[2] != len(data) - 3 or data[2] > 0x7F:
        return None
    return data[3:]


def read_told(update: bytes) -> list[Told]:
    """Take an awareness update apart by client; states are not looked at. Raises BadRequest."""
    reader = Reader(update)
    try:
        told = list(_each_told(reader))
        if not reader.at_end:
            raise reader.wrong("bytes follow its end")
    except (Malformed, IndexError) as error:
        raise _malformed("awareness update", error) from error
    return told


def step_1(state_vector: bytes) -> bytes:
    """Ask a peer for what somebody with ``state_vector`` lacks."""
    return bytes((SYNC, STEP_1)) + write_bytes(state_vector)


def step_2(update: bytes) -> bytes:
    """Answer a peer's step 1."""
    return bytes((SYNC, STEP_2)) + write_bytes(update)


def update(update: bytes) -> bytes:
    """Pass on an edit."""
    return bytes((SYNC, UPDATE)) + write_bytes(update)


def awareness(update: bytes) -> bytes:
    """Pass on who is there."""
    return bytes((AWARENESS,)) + write_bytes(update)


def permission_denied(reason: str) -> bytes:
    """Say why something is refused."""
    return bytes((AUTH, PERMISSION_DENIED)) + write_bytes(reason.encode())


def _read_kind(reader: Reader) -> Kind:
    number = reader.uint()
    kind = SYNC_KINDS.get(reader.uint()) if number == SYNC else KINDS.get(number)
    if kind is None:
        raise reader.wrong(f"unknown kind {number}")
    return kind


def _read_body(reader: Reader) -> bytes:
    size = reader.uint()
    start = reader.at
    if size > len(reader.data) - start:
        raise reader.wrong(f"{size} bytes where fewer follow")
    reader.at = start + size
    return reader.data[start : reader.at]


def count_told(update: bytes) -> int:
    """Return how many clients an awareness update says that it tells of. Raises BadRequest."""
    try:
        return Reader(update).uint()
    except (Malformed, IndexError) as error:
        raise _malformed("awareness update", error) from error


def _each_told(reader: Reader) -> Iterator[Told]:
    for _ in range(reader.count(3)):
        start = reader.at
        client = reader.client()
        reader.uint()
        _read_body(reader)
        yield Told(client, write_uint(1) + reader.data[start : reader.at])


def _malformed(what: str, error: Exception) -> BadRequest:
    why = str(error) if isinstance(error, Malformed) else "it ends too early"
    return BadRequest(f"Not a valid {what}: {why}", code="malformed_message")
