"""Sealed memory: large values between processes, written once and copied by nobody.

A memfd is filled by one worker, sealed (it can neither change nor shrink any more) and
handed to another, which maps it. Descriptors go over a socket (SCM_RIGHTS), from the
server alone: what a worker could send is never opened or read. Linux only.
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

_SEAL_GROW = 0x4
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
    """A memfd of ``size`` bytes; its descriptor is closed with it.

    The server makes it (``lent``), the worker that has the value fills it with ``write``
    calls, the server closes it to changes (``sealed``), and the worker that needs the value
    maps it. No worker makes memory itself: what it makes is bounded nowhere.
    """

    __slots__ = ("_fd", "size")

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self.size = size

    @classmethod
    def lent(cls, room: int) -> Memory:
        """Make memory that takes at most ``room`` bytes, and takes none before they are written."""
        memory = cls(os.memfd_create("spellwork", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), room)
        os.ftruncate(memory.fd, room)
        fcntl.fcntl(memory.fd, _ADD_SEALS, _SEAL_GROW)
        return memory

    def sealed(self, size: int) -> Memory:
        """Close it to every change, with ``size`` bytes in it; raises Untrusted where that cannot be."""
        try:
            if not 0 <= size <= os.fstat(self._fd).st_size:
                raise Untrusted(f"it cannot hold the {size:,} bytes that were told of")
            os.ftruncate(self._fd, size)
            fcntl.fcntl(self._fd, _ADD_SEALS, SEALS)
        except OSError as error:
            raise Untrusted(f"it cannot be sealed ({error.strerror})") from error
        self.size = size
        return self

    def fill(self, write: Callable[[IO[bytes]], Any]) -> int:
        """Write a value into it, in the worker; return how many bytes that took. Raises OSError where it is full."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        with open(self._fd, "wb", buffering=1024 * 1024, closefd=False) as file:
            write(file)
            return file.tell()

    @classmethod
    def taken(cls, fd: int, size: int) -> Memory:
        """Return memory that came; raises Untrusted where it is not sealed, or of another size."""
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

    def take(self, number: int, size: int | None = None) -> Memory:
        """Take the memory that a frame told of: to be filled, or with ``size`` sealed memory.

        Raises:
            Untrusted: another came, or none.
        """
        try:
            message, fds, _, _ = socket.recv_fds(self._end, _NUMBER.size, 1)
        except OSError as error:
            raise Untrusted(f"no memory came ({error})") from error
        if not fds:
            raise Untrusted("no memory came")
        memory = Memory(fds[0], 0) if size is None else Memory.taken(fds[0], size)
        if message != _NUMBER.pack(number):
            raise Untrusted("memory of another number came")
        return memory

    def close(self) -> None:
        """Close the socket."""
        self._end.close()
