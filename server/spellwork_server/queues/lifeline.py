"""Files by which processes of one machine know at once that another has died.

Every process locks a file of its own in the data folder, and the kernel lets
go of the lock when the process ends, however it ends. So a server that is
started again after a crash need not wait until the lease of the one before
has run out. Of processes of another machine, or of another start of this one,
nothing is known here: their leases tell.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

HAS_LOCKS = find_spec("fcntl") is not None
if HAS_LOCKS:
    import fcntl

BOOT = Path("/proc/sys/kernel/random/boot_id")


class Lifeline:
    """The locks of a data folder; None as ``folder`` knows nothing of anybody."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if HAS_LOCKS else None  # on Windows leases alone tell
        self._held: dict[str, IO[str]] = {}
        self._boot = _boot()

    def hold(self, process: str) -> None:
        """Lock a file for a process that is this one."""
        if self._folder is None or not self._boot:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / process).open("w")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(self._boot)
        file.flush()
        self._held[process] = file

    def let_go(self, process: str) -> None:
        """Unlock and remove the file of a process that is over."""
        file = self._held.pop(process, None)
        if file is not None:
            file.close()
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / process).unlink()

    def is_dead(self, process: str) -> bool:
        """Tell whether a process is known to have ended; False where it lives, or nobody here knows."""
        if self._folder is None or process in self._held or not self._boot:
            return False
        try:
            with (self._folder / process).open("r+") as file:
                if file.read(100) != self._boot:
                    return False
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _boot() -> str:
    """Return what this start of this machine is known by; "" where the system does not say."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""
