"""A filter on system calls: no socket is made, and no process leaves the worker's group.

Landlock knows TCP only; without ``socket`` there is no UDP, no raw packet, and no
connection to a socket in the file system, such as a container engine's. (Pairs of
connected sockets, which asyncio uses, remain.) And what cannot leave its process
group dies with it: the kernel's kill of a group misses nobody.

The filter is a program of the kernel's classic BPF, see
https://docs.kernel.org/userspace-api/seccomp_filter.html. A refused call fails with EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import platform
from dataclasses import dataclass

from .kernel import prctl

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _MACHINE = 0, 4
"""Where the filter's input holds the call's number and the machine's kind."""

_OTHER_NUMBERS = 0x40000000
"""From here the numbers of x86-64's second table (x32) begin; elsewhere nothing is there."""


@dataclass(frozen=True, slots=True)
class _Machine:
    kind: int
    denied: tuple[int, ...]
    """socket, setsid, setpgid, and io_uring_setup (a ring makes sockets past this filter)."""


_MACHINES = {
    "x86_64": _Machine(0xC000003E, (41, 112, 109, 425)),
    "aarch64": _Machine(0xC00000B7, (198, 157, 154, 425)),
}


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction)))


def deny_calls() -> None:
    """Deny them to this thread, and to all that it will start. ``no_new_privs`` must hold already.

    Raises:
        OSError: the kernel refused, or this kind of machine is not known here.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise OSError(errno.ENOSYS, f"no filter is written for {platform.machine()}")
    instructions = _filter(machine)
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))


def _filter(machine: _Machine) -> list[_Instruction]:
    """Return the program; a jump's number says how many instructions to skip."""
    count = len(machine.denied)
    return [
        _Instruction(_LOAD, 0, 0, _MACHINE),
        _Instruction(_EQUAL, 0, count + 3, machine.kind),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        _Instruction(_AT_LEAST, count + 1, 0, _OTHER_NUMBERS),
        *(
            _Instruction(_EQUAL, count - place, 0, number)
            for place, number in enumerate(machine.denied)
        ),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
