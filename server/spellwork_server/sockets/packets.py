"""Socket.IO packets: strict ones coming in, and ready-made frames going out.

A packet for many receivers is encoded and framed once; what each gets is the
same bytes. The layers (Socket.IO packet in Engine.IO message in WebSocket
frame) are those of https://socket.io/docs/v4/socket-io-protocol/,
https://socket.io/docs/v4/engine-io-protocol/ and RFC 6455.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack
from typing import Any

import msgspec
from engineio import packet as engine_packet
from socketio import packet

from spellwork_server.strict_json import read_json

MAX_ATTACHMENTS = 16
"""Binary attachments of one event that comes in."""

TEXT_FRAME, BINARY_FRAME, CLOSE_FRAME = 0x81, 0x82, 0x88
ENCODER = msgspec.json.Encoder()


_EVENT = re.compile(r"(?:2|(51-))([0-9]{0,15})(?=\[)")
"""An event in the main namespace with at most one attachment."""


class ProtocolViolationError(Exception):
    """A client broke the protocol beneath events; its connection is closed."""


class StrictJson:
    """The JSON that packets are read and written with: no NaN, no comments, bounded depth."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Write a value; NaN and infinities become null."""
        return ENCODER.encode(value).decode()

    @staticmethod
    def loads(text: str) -> Any:
        """Read a value; raise ValueError where it is not JSON."""
        return read_json(text)


class StrictPacket(packet.Packet):  # type: ignore[misc] # the makers ship no types
    """A packet whose attachments are bounded in number and bytes."""

    json = StrictJson
    max_bytes = 8 * 1024 * 1024

    def decode(self, encoded_packet: Any) -> int:
        """Read the packet's text; raise ValueError when it announces too many attachments."""
        if not isinstance(encoded_packet, str):
            raise ProtocolViolationError("bytes that no event announced")
        self.bytes_left = self.max_bytes - len(encoded_packet)
        count = int(super().decode(encoded_packet) or 0)
        if count > MAX_ATTACHMENTS:
            raise ProtocolViolationError(f"{count} attachments; at most {MAX_ATTACHMENTS}")
        return count

    def add_attachment(self, attachment: Any) -> bool:
        """Take the next attachment; True when it was the last one awaited."""
        if not isinstance(attachment, bytes):
            raise ProtocolViolationError("text where an attachment was announced")
        self.bytes_left -= len(attachment)
        if self.bytes_left < 0:
            raise ProtocolViolationError(f"an event of more than {self.max_bytes} bytes")
        return bool(super().add_attachment(attachment))


@dataclass(slots=True)
class PlainEvent:
    """An event of the plainest form: by far most are, and reading them takes a fraction of the time."""

    data: Any
    id: int | None
    size: int
    is_whole: bool
    """False while its one attachment is missing."""

    def attach(self, attachment: str | bytes, max_bytes: int) -> None:
        """Put the attachment where its placeholder is."""
        if not isinstance(attachment, bytes):
            raise ProtocolViolationError("text where an attachment was announced")
        self.size += len(attachment)
        if self.size > max_bytes:
            raise ProtocolViolationError(f"an event of more than {max_bytes} bytes")
        fields = self.data[1] if len(self.data) == 2 else None
        if isinstance(fields, dict):
            for name, value in fields.items():
                if value == _PLACEHOLDER:
                    fields[name] = attachment
                    break
            else:
                self.data = packet.Packet.reconstruct_binary(self.data, [attachment])
        else:
            self.data = packet.Packet.reconstruct_binary(self.data, [attachment])
        self.is_whole = True


_PLACEHOLDER = {"_placeholder": True, "num": 0}


def read_plain_event(text: str) -> PlainEvent | None:
    """Read a packet if it is a plain event; None leaves it to StrictPacket. Raises ValueError."""
    found = _EVENT.match(text)
    if found is None:
        return None
    attached = found[1] is not None
    if attached and text.count("_placeholder") != 1:
        return None
    data = read_json(text[found.end() :])
    return PlainEvent(data, int(found[2]) if found[2] else None, len(text), not attached)


@dataclass(frozen=True, slots=True)
class Wire:
    """Packets in the forms the transports send them in."""

    packets: tuple[tuple[bytes, tuple[bytes, ...]], ...]
    """Of each packet the Engine.IO message (``4`` and the Socket.IO packet), and its attachments."""
    frames: bytes
    """All of it as WebSocket frames, to be written at once so that nothing comes between."""

    def engine_packets(self) -> list[Any]:
        """Return fresh Engine.IO packets, for a transport that frames them itself.

        Fresh, because a packet remembers the form it was first encoded to,
        which differs between transports.
        """
        made: list[Any] = []
        for text, attachments in self.packets:
            made.append(engine_packet.Packet(engine_packet.MESSAGE, text[1:].decode()))
            made += (engine_packet.Packet(engine_packet.MESSAGE, part) for part in attachments)
        return made


def join(wires: Sequence[Wire]) -> Wire:
    """Return several packets as one wire, in their order."""
    if len(wires) == 1:
        return wires[0]
    packets = tuple(packet for wire in wires for packet in wire.packets)
    return Wire(packets, b"".join(wire.frames for wire in wires))


def encode_event(event: str, data: Any) -> Wire:
    """Encode an event with its one argument.

    Bytes may stand as a field's value or in a list that is a field's value;
    they become attachments.
    """
    data, attachments = _detach(data)
    head = b"45%d-" % len(attachments) if attachments else b"42"
    return _wire(head + ENCODER.encode([event, data]), attachments)


def encode_ack(ack: int, answer: Any) -> Wire:
    """Encode the answer to the event that asked for it under the number ``ack``."""
    answer, attachments = _detach(answer)
    head = b"46%d-%d" % (len(attachments), ack) if attachments else b"43%d" % ack
    return _wire(head + ENCODER.encode([answer]), attachments)


def encode_disconnect() -> Wire:
    """Encode the packet after which a client does not reconnect by itself."""
    return _wire(b"41", [])


def binary_frame(message: bytes) -> bytes:
    """Frame one binary message, to be written to any number of WebSockets."""
    return frame(BINARY_FRAME, message)


def close_frame(code: int, why: bytes) -> bytes:
    """Frame the close of a WebSocket."""
    return frame(CLOSE_FRAME, code.to_bytes(2, "big") + why)


def frame(first: int, payload: bytes) -> bytes:
    """Return an unmasked, final frame; ``first`` is its first byte."""
    return _frame_head(first, len(payload)) + payload


def _wire(text: bytes, attachments: list[bytes]) -> Wire:
    frames = [_frame_head(TEXT_FRAME, len(text)), text]
    for part in attachments:
        frames += [_frame_head(BINARY_FRAME, len(part)), part]
    return Wire(((text, tuple(attachments)),), b"".join(frames))


def _frame_head(first: int, length: int) -> bytes:
    """Return the head of an unmasked, final frame (a server's frames are never masked)."""
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return pack("!BBH", first, 126, length)
    return pack("!BBQ", first, 127, length)


def _detach(data: Any) -> tuple[Any, list[bytes]]:
    """Take the bytes out of an event's fields, leaving placeholders."""
    attachments: list[bytes] = []
    if not isinstance(data, dict):
        return data, attachments
    changed: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, bytes):
            changed[name] = _placeholder(value, attachments)
        elif isinstance(value, list) and value and isinstance(value[0], bytes):
            changed[name] = [_placeholder(each, attachments) for each in value]
    return (data | changed if changed else data), attachments


def _placeholder(value: bytes, attachments: list[bytes]) -> dict[str, Any]:
    attachments.append(value)
    return {"_placeholder": True, "num": len(attachments) - 1}
