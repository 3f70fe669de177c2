"""What processes use: memory and processor time of each with all that it started."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident bytes, and seconds of processor time so far, of children that ended too."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0


def usage_of(pids: Iterable[int]) -> Usage:
    """Return what processes and all their descendants use; nothing where the system does not tell (not Linux)."""
    memory, ticks = 0, 0
    left, seen = list(pids), set[int]()
    while left:
        pid = left.pop()
        if pid in seen:
            continue
        seen.add(pid)
        with suppress(OSError, ValueError, IndexError):
            stat = Path(f"/proc/{pid}/stat").read_bytes()
            fields = stat[stat.rindex(b")") + 2 :].split()
            ticks += sum(int(each) for each in fields[11:15])
            memory += int(fields[21]) * _PAGE
            for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names alone are needed
                children = Path(f"/proc/{pid}/task/{task}/children").read_bytes()
                left += [int(each) for each in children.split()]
    return Usage(memory, ticks / _TICKS)
