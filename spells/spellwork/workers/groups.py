"""The processes of a process group: all that a worker started, for nothing leaves its group (``spellwork_worker.seccomp``)."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

FRESH = 0.1
"""Seconds for which one reading of /proc serves all who ask."""

_by_group: dict[int, list[int]] = {}
_read_at = 0.0


def pids_in_group(group: int) -> list[int]:
    """Return the processes of a group, those too whose parents are gone; itself alone where there is no /proc."""
    global _by_group, _read_at
    if time.monotonic() - _read_at > FRESH:
        found: dict[int, list[int]] = {}
        for pid in _pids():
            if fields := stat_of(pid):
                found.setdefault(int(fields[2]), []).append(pid)
        _by_group, _read_at = found, time.monotonic()
    return _by_group.get(group, [group])


def stat_of(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; none when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return []


def _pids() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names alone
    return []
