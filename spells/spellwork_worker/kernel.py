"""Calls to the Linux kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import os

_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_HIGHEST_CAPABILITY = 63

_c = ctypes.CDLL(None, use_errno=True)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


_NoCapabilities = ctypes.c_uint32 * 6
"""Effective, permitted and inheritable, twice 32 bits each."""


def syscall(number: int, *arguments: object) -> int:
    """Make a system call. Whole numbers must be given as ctypes values of their size.

    Raises:
        OSError: the kernel refused.
    """
    return _checked(_c.syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, *arguments: object) -> int:
    """Change something about this process.

    Raises:
        OSError: the kernel refused.
    """
    padded = [*arguments, *(0 for _ in range(4 - len(arguments)))]
    plain = [ctypes.c_ulong(part) if isinstance(part, int) else part for part in padded]
    return _checked(_c.prctl(option, *plain))


def give_up_privileges() -> None:
    """Give up what root may do beyond its own files, and every way to get it back.

    A server in a container is often root. Without this its workers could load
    kernel modules, read the memory of other processes, and send raw packets.

    Raises:
        OSError: the kernel refused.
    """
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if os.geteuid() == 0:
        for capability in range(_HIGHEST_CAPABILITY + 1):
            try:
                prctl(_PR_CAPBSET_DROP, capability)
            except OSError:
                break  # no more of them, or none that may be dropped: then there is nothing to gain
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    _checked(_c.capset(ctypes.byref(header), ctypes.byref(_NoCapabilities())))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
