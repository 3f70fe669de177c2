"""Closes the server's own process to the processes of its workers."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def close_memory() -> bool:
    """Close this process's memory and environment to other processes of its user (Linux).

    Both hold secrets: keys of model servers, the key that signs access tokens.
    Linux lets every process of the same user read them (``/proc/PID/mem``,
    ``/proc/PID/environ``); Yama's ``ptrace_scope`` keeps out debuggers, but not a
    reader of ``environ``, and not every machine has it. A process that is not
    "dumpable" is closed to all but a privileged one, which workers are not, even
    where the server runs as root. It writes no core dumps either, and a debugger
    or profiler that is to attach must be run by root.

    Returns:
        Whether it is closed now.
    """
    if sys.platform != "linux":
        return False
    zero = ctypes.c_ulong(0)
    return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, zero, zero, zero, zero) == 0)
