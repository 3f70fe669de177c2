"""Worker processes that outlive the server that started them: the next server ends them.

The kernel ends most with their server (``spellwork_worker.limits.die_with``). Where it
does not, a file for each process, in a folder that no worker can write to, says which
it was: its id and when it started, for ids are used again.
"""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"(\d+)-(\d+)-(\d+)-(\d+)")
"""Id and start of the server, id and start of the worker."""


class Orphans:
    """Notes the processes of this server in ``folder``, and ends those of servers that are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, pid: int) -> None:
        """Note a process that was started; nothing where the system does not tell when one started."""
        own, started = started_at(os.getpid()), started_at(pid)
        if own is None or started is None:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / f"{os.getpid()}-{own}-{pid}-{started}").touch(mode=0o600)

    def forget(self, pid: int) -> None:
        """Forget a process that is gone."""
        with suppress(OSError):
            for path in self._folder.glob(f"{os.getpid()}-*-{pid}-*"):
                path.unlink(missing_ok=True)

    def reap(self) -> list[int]:
        """End the processes of servers that are gone, each with its group; return their ids."""
        found: list[int] = []
        if not self._folder.is_dir():
            return found
        for path in self._folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is None:
                continue
            server, server_started, pid, started = map(int, match.groups())
            if started_at(server) == server_started:
                continue
            if pid > 1 and started_at(pid) == started and os.getpgid(pid) == pid:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                    found.append(pid)
            path.unlink(missing_ok=True)
        return found


def started_at(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did; None when there is none of that id."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
