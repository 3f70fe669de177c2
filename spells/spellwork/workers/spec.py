"""What a worker is: whose processes they are, what they are started from, and what they may use."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import time

from .limits import WorkerLimits
from .program import Program

MAX_LOG_LINES = 1_000
MAX_LOG_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A worker as a call finds it. Code of two workers (two ``id``) never shares a process.

    ``processes`` is how many calls run at once. Processes started from another ``program``
    or with other ``limits`` are replaced when they are free.
    """

    id: str
    program: Program
    limits: WorkerLimits
    processes: int = 1

    def fits(self, other: WorkerSpec) -> bool:
        """Whether a process of ``other`` can take calls of this one."""
        return (self.id, self.program.key, self.limits) == (
            other.id,
            other.program.key,
            other.limits,
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a worker, or who makes its environment, said. ``at`` is Unix time."""

    at: float
    level: str
    text: str


class WorkerLog:
    """The last lines of a worker: of its processes between calls, of its environment, and why they ended."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque()
        self._size = 0

    def add(self, text: str, level: str = "info") -> None:
        """Add lines; the oldest ones make room."""
        for each in text.splitlines():
            line = LogLine(time(), level, each[:2_000])
            self._lines.append(line)
            self._size += len(line.text)
        while len(self._lines) > MAX_LOG_LINES or self._size > MAX_LOG_BYTES:
            self._size -= len(self._lines.popleft().text)

    @property
    def lines(self) -> list[LogLine]:
        """The lines, oldest first."""
        return list(self._lines)


@dataclass(slots=True)
class Counts:
    """What has happened in a worker since the server started, and what goes on in it."""

    running: int = 0
    waiting: int = 0
    starting: int = 0
    calls: int = 0
    failures: int = 0
    restarts: int = 0
    started: int = 0
    pids: list[int] = field(default_factory=list)
