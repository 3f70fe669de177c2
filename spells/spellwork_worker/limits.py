"""What a worker may use: set by the worker itself, before any code of a user is loaded."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys

MB = 1024 * 1024
_PR_SET_PDEATHSIG = 1


def set_limits(memory_mb: int, file_mb: int) -> None:
    """Cap address space and file size, and leave no core dumps. The caps cannot be raised again."""
    _cap(resource.RLIMIT_AS, memory_mb * MB)
    _cap(resource.RLIMIT_FSIZE, file_mb * MB)
    _cap(resource.RLIMIT_CORE, 0)


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
