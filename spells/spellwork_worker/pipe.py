"""The worker's end of its pipe."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable

from .feeding import Inlet
from .frames import HEADER, Answer, Call, Credit, ToWorker, decode_to_worker
from .memory import MemoryChannel
from .parcels import Drop, Fetch, ReadPage

_READ = 64 * 1024
"""Bytes read at once while it is not known how many come: as many as a pipe holds."""

Task = Call | Drop | Fetch | ReadPage
"""What the main thread does, one after the other."""


class Pipe:
    """Takes calls from one descriptor and writes frames to another.

    A thread of its own reads, so that the worker ends at once when the pool is
    gone, even in the middle of a call.
    """

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._pages: deque[ReadPage] = deque()
        self._come = 0
        """Calls and questions for values that came: counted by the pipe's thread alone."""
        self._begun = 0
        """Those of them that were begun: counted by the main thread alone."""
        self.channel: MemoryChannel | None = None
        """Where memory comes beside frames, if it can."""
        self.inlet = Inlet(0, 0)
        """Takes what comes for the call under way."""
        self.on_answer: Callable[[Answer], None] = lambda _answer: None
        threading.Thread(target=self._read, name="pipe", daemon=True).start()

    def next_task(self) -> Task:
        """Wait for what is to be done next. Pages are read when nothing else waits."""
        while True:
            try:
                task = self._tasks.get(block=not self._pages)
            except queue.Empty:
                return self._pages.popleft()
            if isinstance(task, Call | Fetch):
                self._begun += 1
            if not isinstance(task, ReadPage):
                return task
            self._pages.append(task)

    @property
    def is_waited_for(self) -> bool:
        """Whether a call waits, or somebody for a value."""
        return self._come > self._begun

    def send(self, frame: bytes) -> None:
        """Write a whole frame; any thread may."""
        view = memoryview(frame)
        with self._lock:
            while view:
                view = view[os.write(self._target, view) :]

    def _read(self) -> None:
        try:
            rest = b""
            while True:
                rest = self._frames(rest + self._some(_READ))
        except BaseException:  # noqa: BLE001 - without its pool a worker has nothing to live for
            os._exit(0)

    def _take(self, record: ToWorker) -> None:
        if isinstance(record, Call | Drop | Fetch | ReadPage):
            if isinstance(record, Call | Fetch):
                self._come += 1
            self._tasks.put(record)
        elif isinstance(record, Answer):
            self.on_answer(record)
        elif record.id == self.inlet.call:
            if isinstance(record, Credit):
                self.inlet.credit(record.chunks)
            else:
                self.inlet.feed(record)

    def _frames(self, data: bytes) -> bytes:
        """Take the frames in what was read, mostly one, and return what is left: less than a length."""
        at = 0
        while len(data) - at >= HEADER.size:
            (size,) = HEADER.unpack_from(data, at)
            at += HEADER.size
            body = data[at : at + size]
            at += size
            if len(body) < size:
                body += self._exactly(size - len(body))
            self._take(decode_to_worker(body))
        return data[at:]

    def _some(self, most: int) -> bytes:
        part = os.read(self._source, most)
        if not part:
            raise EOFError
        return part

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            parts += self._some(min(size - len(parts), 1024 * 1024))
        return bytes(parts)


def take_standard_pipes() -> tuple[int, int]:
    """Keep standard input and output for frames, and return their new descriptors.

    What the code reads from standard input is empty; what it, or a library in C,
    writes to standard output goes to standard error, which the pool reads as log.
    """
    source, target = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lives as long as the process
    return source, target
