"""The worker's end of its pipe."""

from __future__ import annotations

import os
import queue
import select
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


TICK = 0.01
"""Seconds that the code may run until somebody else looks at what comes; twice that at most."""


class Pipe:
    """Takes calls from one descriptor and writes frames to another.

    The main thread reads for itself while it has nothing to do: a task that one thread hands
    to another costs as much as a small call. While code runs a thread stands in for it, once
    somebody waits for what comes (``attend``) or the code takes longer than a tick; so the
    worker ends soon when the pool is gone, even in the middle of a call.
    """

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        """None: the thread reads no longer, so that the main thread has to."""
        self._pages: deque[ReadPage] = deque()
        self._reading = threading.Lock()
        """Who holds it reads."""
        self._awake = threading.Event()
        """Has the thread look at once, and not after a tick."""
        self._attended = False
        """Whether somebody is about to wait for what comes."""
        self._parked = False
        """Whether the thread looks at nothing until it is woken."""
        self._at_work = False
        """Whether the main thread does a task."""
        self._begun = 0
        """Calls and questions for values that were begun: counted by the main thread alone."""
        self._come = 0
        """Those that came: counted by who reads."""
        self.channel: MemoryChannel | None = None
        """Where memory comes beside frames, if it can."""
        self.inlet = Inlet(0, 0, self.attend)
        """Takes what comes for the call under way."""
        self.on_answer: Callable[[Answer], None] = lambda _answer: None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave)
        threading.Thread(target=self._stand_in, name="pipe", daemon=True).start()

    def next_task(self) -> Task:
        """Wait for what is to be done next. Pages are read when nothing else waits."""
        self._at_work = False
        while True:
            task = self._next()
            if not isinstance(task, ReadPage):
                break
            self._pages.append(task)
        if task is None:
            task = self._pages.popleft()
        elif isinstance(task, Call | Fetch):
            self._begun += 1
        self._at_work = True
        if self._parked:
            self._awake.set()
        return task

    def _next(self) -> Task | None:
        """Return the next task; None where pages are to be read and nothing else waits."""
        while True:
            if self._tasks.empty() and self._reading.acquire(blocking=False):
                try:
                    while self._tasks.empty():
                        if self._pages and not self._has_come:
                            return None
                        self._read()
                finally:
                    self._reading.release()
            try:
                task = self._tasks.get(block=not self._pages)
            except queue.Empty:
                return None
            if task is not None:
                return task

    def attend(self) -> None:
        """Have what comes read from now on, for somebody is about to wait for it; any thread may."""
        self._attended = True
        self._awake.set()

    @property
    def is_waited_for(self) -> bool:
        """Whether a call waits, or somebody for a value."""
        if self._reading.acquire(blocking=False):
            try:
                while self._has_come:
                    self._read()
            finally:
                self._reading.release()
        return self._come > self._begun

    @property
    def _has_come(self) -> bool:
        """Whether there is something to read."""
        look = select.poll()
        look.register(self._source, select.POLLIN)
        return bool(look.poll(0))

    def send(self, frame: bytes) -> None:
        """Write a whole frame; any thread may."""
        view = memoryview(frame)
        with self._lock:
            while view:
                view = view[os.write(self._target, view) :]

    def _stand_in(self) -> None:
        """Read while the main thread is at work for long, or somebody waits for what comes."""
        while True:
            begun = self._begun
            if self._awake.wait(TICK):
                self._awake.clear()
                due = self._attended and self._at_work
            elif self._begun != begun:
                continue
            else:
                due = self._at_work
                if not due:
                    self._park()
            if due:
                self._attended = False
                self._read_for_main()

    def _read_for_main(self) -> None:
        """Read until the main thread is done, and something came after that."""
        with self._reading:
            while self._at_work:
                self._read()
        self._tasks.put(None)

    def _park(self) -> None:
        self._parked = True
        if not self._at_work:  # whoever sets that looks whether this is parked
            self._awake.wait()
        self._parked = False

    def _leave(self) -> None:
        """Read nothing in a process that the code forked: what comes is for its parent."""
        self._source = -1

    def _read(self) -> None:
        """Take what comes, up to the end of a frame."""
        try:
            rest = self._frames(self._some(_READ))
            while rest:
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
