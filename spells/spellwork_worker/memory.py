"""Sealed memory: large values between processes, written once and copied by nobody.

A memfd is filled, sealed (it can neither change nor shrink any more) and its descriptor
sent over a socket; who gets it maps it. Nothing is trusted: what is not a sealed memfd of
exactly the size that was told is refused, so that no reader can be surprised by a change,
and nobody can have a file read that it could not read itself. Linux only.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import socket
import struct
from collections.abc import Callable
from typing import IO, Any

SEALS = 0x1 | 0x2 | 0x4 | 0x8
"""No further seals, no shrinking, no growing, no writing (F_SEAL_SEAL, _SHRINK, _GROW, _WRITE)."""

_ADD_SEALS, _GET_SEALS = 1033, 1034
_NUMBER = struct.Struct(">Q")

BESIDE = 64 * 1024
"""Bytes from which a value goes beside its frame."""


class Untrusted(Exception):
    """What came is not the sealed memory that was told of."""


def available() -> bool:
    """Say whether this system has memory that can be sealed."""
    return hasattr(os, "memfd_create") and hasattr(socket, "send_fds")


class Memory:
    """A sealed memfd; its descriptor is closed with it."""

    __slots__ = ("_fd", "size")

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self.size = size

    @classmethod
    def filled(cls, write: Callable[[IO[bytes]], Any]) -> Memory:
        """Return memory that holds what ``write`` writes into a file."""
        fd = os.memfd_create("spellwork", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        memory = cls(fd, 0)
        with open(fd, "wb", buffering=1024 * 1024, closefd=False) as file:
            write(file)
        memory.size = os.fstat(fd).st_size
        fcntl.fcntl(fd, _ADD_SEALS, SEALS)
        return memory

    @classmethod
    def taken(cls, fd: int, size: int) -> Memory:
        """Return memory that came from elsewhere; raises Untrusted where it is not what was told."""
        memory = cls(fd, size)
        try:
            seals = fcntl.fcntl(fd, _GET_SEALS)
        except OSError as error:
            raise Untrusted("it is no memory that can be sealed") from error
        if seals & SEALS != SEALS:
            raise Untrusted("it is not sealed")
        if os.fstat(fd).st_size != size:
            raise Untrusted(f"it holds {os.fstat(fd).st_size:,} bytes, and {size:,} were told of")
        return memory

    @property
    def fd(self) -> int:
        """Its descriptor, open as long as this is."""
        return self._fd

    def view(self) -> memoryview:
        """Return its bytes; who writes to them writes to a copy of its own."""
        if not self.size:
            return memoryview(b"")
        return memoryview(mmap.mmap(self._fd, self.size, access=mmap.ACCESS_COPY))

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)


class MemoryChannel:
    """One end of the socket that memory goes over, beside the frames that tell of it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, number: int, memory: Memory) -> None:
        """Send memory under a number, before the frame that tells of it.

        Raises:
            BlockingIOError: the other side takes nothing at present (where the socket does not wait).
            OSError: it is gone.
        """
        socket.send_fds(self._end, [_NUMBER.pack(number)], [memory.fd])

    def take(self, number: int, size: int) -> Memory:
        """Take the memory that a frame told of; raises Untrusted where another came, or none."""
        try:
            message, fds, _, _ = socket.recv_fds(self._end, _NUMBER.size, 1)
        except OSError as error:
            raise Untrusted(f"no memory came ({error})") from error
        if not fds:
            raise Untrusted("no memory came")
        memory = Memory.taken(fds[0], size)
        if message != _NUMBER.pack(number):
            raise Untrusted("memory of another number came")
        return memory

    def close(self) -> None:
        """Close the socket."""
        self._end.close()
