"""What goes out to one connection, in order.

python-engineio gives every connection a queue and a task that encodes, frames
and writes what comes out of it, one packet at a time. An Outbox takes that
queue's place. While the queue is empty and the WebSocket open, ready-made
frames skip it: they are written straight to the transport. In every other
case (long-polling, the moment of an upgrade, a ping on its way) they go
through the queue, so that the order is always that of the calls.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .line import Line
from .packets import Wire

Packet = Any
"""An ``engineio.packet.Packet``, or None, which ends the connection."""


class Outbox(Line[Packet]):
    """The outgoing queue of one Engine.IO connection, which takes it for an ``asyncio.Queue``."""

    def __init__(self) -> None:
        super().__init__()
        self._unwritten = 0
        self._written: asyncio.Future[None] | None = None
        self.direct: asyncio.WriteTransport | None = None
        """The transport to write frames to at once, while nothing is queued before them."""
        self._transport: asyncio.WriteTransport | None = None
        self._engine_socket: Any = None
        self._queued_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """Bytes that the client has not taken yet (beyond what the kernel holds)."""
        try:
            buffered = self._transport.get_write_buffer_size() if self._transport else 0
        except RuntimeError:  # uvloop's answer once the transport is closed
            self.detach()
            buffered = 0
        return buffered + self._queued_bytes

    @property
    def transport(self) -> asyncio.WriteTransport | None:
        """The WebSocket's transport, once there is one."""
        return self._transport

    def attach(self, engine_socket: Any, transport: asyncio.WriteTransport) -> None:
        """Take note of the WebSocket that is open, or on its way to replace long-polling."""
        self._engine_socket = engine_socket
        self._transport = transport

    def detach(self) -> None:
        """Write no more frames: the WebSocket is closed, or was not upgraded to."""
        self._transport = self.direct = None

    def send(self, wire: Wire) -> None:
        """Send one packet, after all that was sent before."""
        if self.direct is not None:
            try:
                self.direct.write(wire.frames)
            except RuntimeError:  # the client is gone, its disconnect is on its way
                self.detach()
        else:
            for packet in wire.engine_packets():
                self.put_nowait(packet)

    def get(self) -> asyncio.Future[Packet]:
        """Give the writer its next packet. When there is none, all was written: go direct."""
        given = super().get()
        if not given.done() and self._transport is not None and self._is_upgraded():
            self.direct = self._transport
        return given

    def _is_upgraded(self) -> bool:
        return bool(self._engine_socket.upgraded and not self._engine_socket.upgrading)

    def put_nowait(self, item: Packet) -> None:
        """Queue a packet; what is sent afterwards follows it."""
        self.direct = None
        self._unwritten += 1
        taken_at_once = self._reader is not None and not self._reader.done()
        if not taken_at_once:
            self._queued_bytes += _size(item)
        super().put_nowait(item)

    async def put(self, item: Packet) -> None:
        """Queue a packet; there is always room."""
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
