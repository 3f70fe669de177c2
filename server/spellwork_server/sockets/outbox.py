"""What goes out to one connection, in order.

python-engineio gives every connection a queue and a task that encodes, frames
and writes what comes out of it, one packet at a time. An Outbox takes that
queue's place. Once there is a WebSocket, nothing is queued: whatever is put or
sent is written to its transport at once. Until then (long-polling, the moment
of an upgrade) packets wait in the queue, and go out before all that follows.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .line import Line
from .packets import Wire
from .websocket import WebSocket, message_frame, unsent_bytes

Packet = Any
"""An ``engineio.packet.Packet``, or None, which ends the connection."""


class Outbox(Line[Packet]):
    """The outgoing queue of one Engine.IO connection, which takes it for an ``asyncio.Queue``."""

    __slots__ = ("_queued_bytes", "_unwritten", "_websocket", "_written", "direct")

    def __init__(self) -> None:
        super().__init__()
        self._unwritten = 0
        self._written: asyncio.Future[None] | None = None
        self.direct: asyncio.WriteTransport | None = None
        """The transport to write frames to; None while they must be queued, and when it is over."""
        self._websocket: WebSocket | None = None
        self._queued_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """Bytes that the client has not taken yet (beyond what the kernel holds)."""
        buffered = 0 if self._websocket is None else unsent_bytes(self._websocket.transport)
        return buffered + self._queued_bytes

    @property
    def transport(self) -> asyncio.WriteTransport | None:
        """The WebSocket's transport, once there is one."""
        return None if self._websocket is None else self._websocket.transport

    def attach(self, websocket: WebSocket) -> None:
        """Write to a WebSocket from here on: first what is queued."""
        self._websocket = websocket
        self.direct = websocket.transport
        while self.qsize():
            packet = self.get_nowait()
            self.task_done()
            self.put_nowait(packet)

    def detach(self) -> None:
        """Write no more frames: the client is gone, or was told goodbye."""
        self.direct = None

    def send(self, wire: Wire) -> None:
        """Send one packet, after all that was sent before."""
        if self._websocket is not None:
            self._write(wire.frames)
        else:
            for packet in wire.engine_packets():
                self.put_nowait(packet)

    def put_nowait(self, item: Packet) -> None:
        """Send a packet, or queue it; None closes the connection after all that was sent."""
        if self._websocket is not None:
            if item is not None:
                self._write(message_frame(item.encode()))
            else:
                self.detach()
                self._websocket.close()
            return
        self._unwritten += 1
        taken_at_once = self._reader is not None and not self._reader.done()
        if not taken_at_once:
            self._queued_bytes += _size(item)
        super().put_nowait(item)

    def _write(self, frames: bytes) -> None:
        if self.direct is not None:
            try:
                self.direct.write(frames)
            except RuntimeError:  # the client is gone, its disconnect is on its way
                self.detach()

    async def put(self, item: Packet) -> None:
        """Send a packet, or queue it; there is always room."""
        self.put_nowait(item)

    def get_nowait(self) -> Packet:
        """Take the next packet."""
        item = super().get_nowait()
        self._queued_bytes -= _size(item)
        return item

    def task_done(self) -> None:
        """Note that a packet which was taken is on its way."""
        self._unwritten -= 1
        if not self._unwritten and self._written is not None:
            self._written.set_result(None)
            self._written = None

    async def join(self) -> None:
        """Wait until every packet is on its way."""
        while self._unwritten:
            if self._written is None:
                self._written = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._written)


def _size(packet: Packet) -> int:
    data = packet.data if packet is not None else None
    return len(data) if isinstance(data, str | bytes) else 0
