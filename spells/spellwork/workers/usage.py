"""What processes use: memory and processor time of each with all that it started."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from .groups import pids_in_group, stat_of

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident bytes, and seconds of processor time so far, of children that ended too."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0


def usage_of(pids: Iterable[int]) -> Usage:
    """Return what processes and all that they started use; nothing where the system does not tell (not Linux)."""
    memory, ticks = 0, 0
    for pid in {each for leader in pids for each in pids_in_group(leader)}:
        with suppress(ValueError, IndexError):
            fields = stat_of(pid)
            if fields:
                ticks += sum(int(each) for each in fields[11:15])
                memory += int(fields[21]) * _PAGE
    return Usage(memory, ticks / _TICKS)
