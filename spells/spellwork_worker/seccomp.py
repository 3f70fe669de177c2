"""A filter on system calls: no socket is made, no process leaves the worker, and of the kernel only the plain part is left.

Landlock knows TCP only; without ``socket`` there is no UDP, no raw packet, and no
connection to a socket in the file system, such as a container engine's. (Pairs of
connected sockets, which asyncio uses, remain; not those of datagrams, which could be
sent to any address.) A socket that the server connected for the worker cannot be
connected anew. What cannot leave its process group dies with it: the kernel's kill of
a group misses nobody. Namespaces, mounts, modules, tracing and the like are closed
because most holes in kernels were there, and memory that outlives a process, or is
not counted as its own, because no limit would hold for it.

The filter is a program of the kernel's classic BPF, see
https://docs.kernel.org/userspace-api/seccomp_filter.html. A refused call fails with EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import platform
from collections.abc import Iterable
from dataclasses import dataclass

from .kernel import prctl

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
"""Where the filter's input holds the call's number, the machine's kind, and the arguments, 8 bytes each."""

_OTHER_NUMBERS = 0x40000000
"""From here the numbers of x86-64's second table (x32) begin; elsewhere nothing is there."""

_NEW_NAMESPACES = 0x7E020000
"""The flags of ``clone`` that make namespaces."""

_FAST_OPEN = 0x20000000
"""The flag with which a datagram's call connects a TCP socket."""

_KIND, _DATAGRAM = 0xF, 2
_CLONE3 = 435

# In both columns: x86-64, AArch64. Numbers from 424 on are the same everywhere.
_DENIED: dict[str, tuple[int, int]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
"""What fails whatever its arguments. (A ring of io_uring makes sockets past this filter.)"""

_ONLY_X86_64 = (172, 173, 154)
"""iopl, ioperm, modify_ldt: AArch64 has none of them."""


@dataclass(frozen=True, slots=True)
class _Machine:
    kind: int
    column: int
    clone: int
    socketpair: int
    sendto: int
    sendmsg: int
    sendmmsg: int

    @property
    def denied(self) -> list[int]:
        numbers = [numbers[self.column] for numbers in _DENIED.values()]
        return [*numbers, *_ONLY_X86_64] if self.column == 0 else numbers


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 0, 56, 53, 44, 46, 307),
    "aarch64": _Machine(0xC00000B7, 1, 220, 199, 206, 211, 269),
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
    """Return the program; a jump's number says how many instructions to skip.

    Every rule returns by itself, or leaves the call's number loaded for the next.
    """
    refuse = _ERRNO | errno.EPERM
    rules = [_number(_CLONE3, [_end(_ERRNO | errno.ENOSYS)])]  # libraries then use clone
    rules += [_number(number, [_end(refuse)]) for number in machine.denied]
    rules.append(_number(machine.clone, _bits(0, _NEW_NAMESPACES, refuse)))
    for number, flags in ((machine.sendto, 3), (machine.sendmsg, 2), (machine.sendmmsg, 3)):
        rules.append(_number(number, _bits(flags, _FAST_OPEN, refuse)))
    rules.append(_number(machine.socketpair, _equal(1, _KIND, _DATAGRAM, refuse)))
    return [
        _Instruction(_LOAD, 0, 0, _MACHINE),
        _Instruction(_EQUAL, 1, 0, machine.kind),
        _end(refuse),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        _Instruction(_AT_LEAST, 0, 1, _OTHER_NUMBERS),
        _end(refuse),
        *(instruction for rule in rules for instruction in rule),
        _end(_ALLOW),
    ]


def _number(number: int, then: Iterable[_Instruction]) -> list[_Instruction]:
    """Do what follows when the call is this one; it must return."""
    done = list(then)
    return [_Instruction(_EQUAL, 0, len(done), number), *done]


def _bits(argument: int, bits: int, verdict: int) -> list[_Instruction]:
    """Return the verdict when any of the bits is set in an argument (its lower half)."""
    return [
        _Instruction(_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        _Instruction(_ANY_BIT, 0, 1, bits),
        _end(verdict),
        _end(_ALLOW),
    ]


def _equal(argument: int, mask: int, value: int, verdict: int) -> list[_Instruction]:
    """Return the verdict when an argument, masked, is this."""
    return [
        _Instruction(_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        _Instruction(_AND, 0, 0, mask),
        _Instruction(_EQUAL, 0, 1, value),
        _end(verdict),
        _end(_ALLOW),
    ]


def _end(verdict: int) -> _Instruction:
    return _Instruction(_RETURN, 0, 0, verdict)
