"""What the packages of workers are known by in recipes, so that what was made with others is never taken for theirs."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from uuid import uuid4

from spellwork.values import digest
from spellwork.workers.environments import key_of, python_version
from spellwork_server.storage.workers import WorkerRecord

from .provisioning import Wanted


class PackageNames:
    """Names the packages of workers: by their lock, and by one made up for as long as there is none.

    The lock that is then made keeps that name while the server runs, so that what
    ran while it was being made need not run again.
    """

    def __init__(self) -> None:
        self._to_come: dict[tuple[str, str], str] = {}
        self._made: dict[tuple[str, str], str] = {}

    def of(self, record: WorkerRecord, wanted: Wanted) -> str:
        """Return the name of what a worker has, or is going to have."""
        if not wanted.lines:
            return base_packages()
        if record.lock and record.locked_for == wanted.key:
            key = key_of(record.lock)
            return self._made.get((record.id, key)) or digest(base_packages(), key)
        return self._to_come.setdefault((record.id, wanted.key), uuid4().hex)

    def locked(self, record: WorkerRecord, wanted: Wanted) -> None:
        """Take it that a worker has the lock of what was wanted."""
        name = self._to_come.pop((record.id, wanted.key), None)
        if name is not None and record.lock:
            self._made.setdefault((record.id, key_of(record.lock)), name)

    def forget(self, worker: str) -> None:
        """Forget a worker that is no more."""
        for names in (self._to_come, self._made):
            for key in [key for key in names if key[0] == worker]:
                del names[key]


@cache
def base_packages() -> str:
    """Return the name of what is installed where the server runs; every worker finds that, too."""
    found = {path.name for folder in sys.path for path in Path(folder or ".").glob("*.dist-info")}
    return digest(python_version(), sorted(found))
