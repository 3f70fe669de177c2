"""What a worker may use: set by the worker itself, before any code of a user is loaded."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import sys
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from time import monotonic

MB = 1024 * 1024
RENEW = 0.05
"""Seconds that the limit of a call's processor time may be off; the kernel counts it in whole seconds."""

_PR_SET_PDEATHSIG = 1

_OF_ERROR = {
    errno.ENOSPC: "files_mb",
    errno.EDQUOT: "files_mb",
    errno.EFBIG: "files_mb",
    errno.EAGAIN: "processes",
    errno.EMFILE: "open_files",
    errno.ENFILE: "open_files",
    errno.ENOMEM: "memory_mb",
}
_NO_THREAD = "can't start new thread"

_WORDS = {
    "memory_mb": "the code needs more memory than its worker has ({allowed:,} MB)",
    "cpu_seconds": "the code used more processor time than a call may ({allowed:,} s)",
    "wall_seconds": "the code took longer than a call may ({allowed:,} s)",
    "processes": "the code started more processes and threads than its worker may have ({allowed:,})",
    "open_files": "the code opened more files than its worker may have open ({allowed:,})",
    "files_mb": "the code wrote more to its directory than that may hold ({allowed:,} MB)",
}
"""A worker's limits by name, as a person reads of them who met one."""

_allowed: dict[str, int] = {}
"""What this process set for itself, by limit."""


def limit_words(limit: str, allowed: float | None = None) -> str:
    """Return what a limit's name and size say to whoever met it; without a size, this process's own."""
    return _WORDS[limit].format(allowed=allowed or _allowed.get(limit, 0))


def set_limits(
    memory_mb: int,
    files_mb: int,
    processes: int = 128,
    open_files: int = 1024,
    *,
    reserves: bool = False,
) -> None:
    """Cap memory, the size of a file, processes and open files, and leave no core dumps.

    The caps cannot be raised again. ``reserves``: the program reserves far more address space
    than it uses, as a JIT does; then only what it may write to is counted.
    """
    _allowed.update(
        memory_mb=memory_mb, files_mb=files_mb, processes=processes, open_files=open_files
    )
    _cap(resource.RLIMIT_DATA if reserves else resource.RLIMIT_AS, memory_mb * MB)
    _cap(resource.RLIMIT_FSIZE, files_mb * MB)
    _cap(resource.RLIMIT_NOFILE, open_files)
    _cap(resource.RLIMIT_CORE, 0)
    if os.geteuid() != 0:  # of root's processes the kernel counts none
        _cap(resource.RLIMIT_NPROC, _processes_of_user() + processes)
    with contextlib.suppress(ValueError, OSError):  # not on macOS: its signals and queues are few
        _cap(resource.RLIMIT_SIGPENDING, 1024)


class ProcessorTime:
    """Has the kernel end this process when a call has used so many ``seconds`` more of it; None: any.

    Code can lift the limit again; who started the worker counts too.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._set_at = -RENEW

    def begin_call(self) -> None:
        """Count from now. Of calls that follow each other at once, not each needs to be counted from its own start."""
        now = monotonic()
        if self._seconds is None or now - self._set_at < RENEW:
            return
        self._set_at = now
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = ceil(used.ru_utime + used.ru_stime + self._seconds)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def limit_met(errors: Iterable[BaseException]) -> str | None:
    """Return the name of the limit that an error, or one that led to it, tells of; None when none does."""
    for error in errors:
        if isinstance(error, MemoryError):
            return "memory_mb"
        if isinstance(error, BlockingIOError) and error.filename is None and _forked(error):
            return "processes"
        if isinstance(error, OSError) and error.errno in _OF_ERROR and error.errno != errno.EAGAIN:
            return _OF_ERROR[error.errno]
        if isinstance(error, RuntimeError) and _NO_THREAD in str(error):
            return "processes"
    return None


def is_spent(limit: str) -> bool:
    """Say whether what the code used up is missing in the next call, so that the worker has to be ended.

    Of memory it may be that no more is in use than before: one thing was too large.
    """
    if limit != "memory_mb":
        return True
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return pages * resource.getpagesize() > _allowed["memory_mb"] * MB / 2
    return True


def _forked(error: BlockingIOError) -> bool:
    """Say whether the error is of starting a process: a socket that would block has the same number."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    names = trace.tb_frame.f_code.co_names
    return any("fork" in name or "spawn" in name for name in names)


def _processes_of_user() -> int:
    """Return how many processes and threads the user has that are counted with this one's.

    In a namespace of users they are counted from there, and only those in it are seen.
    """
    own, count = os.geteuid(), 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == own:
                count += len(list((entry / "task").iterdir()))
    return count


def _cap(kind: int, value: int) -> None:
    with contextlib.suppress(
        ValueError, OSError
    ):  # macOS refuses RLIMIT_AS; a lower cap may hold already
        resource.setrlimit(kind, (value, value))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux); exit now if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
