"""Counts what the kernel does not count for us while a call runs, and ends the worker that is over a limit.

Processor time of all that the worker started, processes where no control group counts
them, what lies in its directory where that is no memory of a size, and the time of the call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .errors import LimitExceeded
from .groups import pids_in_group, stat_of
from .sandbox import Place

INTERVAL = 0.25
"""Seconds between two looks."""

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_MB = 1024 * 1024
_MOST_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Used:
    """What the processes of one worker use: threads, and seconds of processor time."""

    processes: int = 0
    cpu_seconds: float = 0.0


class Watch:
    """Looks at one worker during its calls. ``begin`` and ``end`` cost microseconds."""

    def __init__(
        self, place: Place, directory: str, pid: Callable[[], int], kill: Callable[[], None]
    ) -> None:
        self._place = place
        self._directory = directory
        self._pid = pid
        self._kill = kill
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._looks = False
        self._begun = 0.0
        self._cpu: float | None = None

    def begin(self) -> None:
        """Begin to look: a call begins."""
        self._begun = self._loop.time()
        self._cpu = None
        self._looks = True
        if (
            self._timer is None
        ):  # that of the call before may still run: a call of microseconds needs none
            self._timer = self._loop.call_later(INTERVAL, self._look)

    def end(self) -> None:
        """Look no more: the call ended, however it did."""
        self._looks = False

    def _look(self) -> None:
        if not self._looks:
            self._timer = None
            return
        breach = self._breach()
        if breach is None:
            self._timer = self._loop.call_later(INTERVAL, self._look)
            return
        self._timer = None
        self._place.breach = breach
        self._kill()

    def _breach(self) -> LimitExceeded | None:
        limits, passed = self._place.limits, self._loop.time() - self._begun
        if limits.wall_seconds is not None and passed > limits.wall_seconds:
            return LimitExceeded("wall_seconds", limits.wall_seconds, passed)
        group = self._place.group
        if group is not None and group.out_of_memory():  # the kernel may have ended a child alone
            return LimitExceeded("memory_mb", limits.memory_mb)
        used = _used(group.pids() if group is not None else pids_in_group(self._pid()))
        if self._cpu is None:  # what went before the first look is not worth a look at every call
            self._cpu = used.cpu_seconds
        spent = used.cpu_seconds - self._cpu
        if limits.cpu_seconds is not None and spent > limits.cpu_seconds:
            return LimitExceeded("cpu_seconds", limits.cpu_seconds, spent)
        if group is None and used.processes > limits.processes + 8:
            return LimitExceeded("processes", limits.processes, used.processes)
        if not self._place.bubble and (size := _size(self._directory)) > limits.files_mb * _MB:
            return LimitExceeded("files_mb", limits.files_mb, size / _MB)
        return None


def _used(pids: Iterable[int]) -> Used:
    processes, seconds = 0, 0.0
    for pid in pids:
        fields = stat_of(pid)
        if fields:
            processes += int(fields[17])
            seconds += sum(int(each) for each in fields[11:15]) / _TICKS
    return Used(processes, seconds)


def _size(directory: str) -> int:
    """Return the bytes that lie in a directory, holes in files not counted; stops at very many files."""
    total = entries = 0
    waiting = [directory]
    while waiting and entries < _MOST_ENTRIES:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as found:
            for entry in found:
                entries += 1
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total if entries < _MOST_ENTRIES else 1 << 62
