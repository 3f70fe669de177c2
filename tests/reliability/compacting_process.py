"""A server in a process of its own that snapshots after every few edits, and can be made to die of it.

``python -m ... FOLDER CANVAS STEP`` kills itself by SIGKILL as soon as it comes to a step of its
third snapshot: ``check`` (a copy is read back), ``compare`` (the copy was equal), or the number of
an SQL statement, counted from the one that writes the snapshot, which is 1; the first after the
commit counts too. At ``never`` it lives until it is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import uvloop

from spellwork_server.rooms import archive
from spellwork_server.rooms import room as room_module
from tests.server.sockets.canvas_world import serve_canvases

EVERY = 5
"""Edits between two snapshots."""

SURVIVED = 2
"""Snapshots that are written before the deadly one, so that it has some to trim."""


class Death:
    """Counts snapshots and the steps of each."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._snapshots = 0
        self._statement = 0

    def arm(self) -> None:
        """Look at every check of a snapshot, and at every statement of every connection."""
        check, connect = archive.check_snapshot, sqlite3.connect

        def watched_check(*arguments: Any) -> None:
            self._snapshots += 1
            self._come_to("check")
            check(*arguments)
            self._come_to("compare")

        def watched_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)
            connection.set_trace_callback(self._on_statement)
            return connection

        setattr(room_module, "check_snapshot", watched_check)  # noqa: B010 - it is not exported
        sqlite3.connect = watched_connect  # type: ignore[assignment]
        sqlite3.dbapi2.connect = watched_connect  # type: ignore[assignment] # where SQLAlchemy finds it

    def _on_statement(self, statement: str) -> None:
        if statement.startswith("INSERT INTO snapshots"):
            self._statement = 1
        elif self._statement:
            self._statement += 1
        if self._statement:
            self._come_to(str(self._statement))
        if statement.startswith("BEGIN"):
            self._statement = 0

    def _come_to(self, step: str) -> None:
        if step == self._step and self._snapshots > SURVIVED:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: str, canvas: str, step: str) -> None:
    room_module.SNAPSHOT_UPDATES = EVERY
    Death(step).arm()
    async with serve_canvases(Path(folder), canvas=canvas or None) as world:
        sys.stdout.write(f"{world.url} {world.canvas}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:4]))
