"""What a process took to end it ends, also where the store fails in the midst of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.errors import Unavailable
from spellwork_server.queues.dispatcher import Carried, Dispatcher
from spellwork_server.queues.processes import Processes
from spellwork_server.storage.processes import ProcessRecords
from spellwork_server.storage.run_records import RunRecord
from tests.server.queues.test_claims import Desk, desk

pytestmark = pytest.mark.anyio


class Ending:
    """Ends runs in the store, which fails at the second one."""

    def __init__(self, d: Desk) -> None:
        self.desk = d
        self.asked: list[str] = []

    async def carry(self, record: RunRecord, fence: int) -> Carried:
        raise NotImplementedError

    def open_runs(self) -> Iterator[Any]:
        return iter(())

    async def interrupt(self, record: RunRecord, why: str) -> None:
        self.asked.append(record.id)
        if len(self.asked) == 2:
            raise Unavailable("The store is full")
        await self.desk.end(record.id)

    async def end_failed(self, record: RunRecord, code: str, message: str) -> None:
        await self.interrupt(record, code)


@pytest.mark.rule("Q4", "Q9")
@pytest.mark.parametrize("why", ["late", "dead"])
async def test_runs_that_could_not_be_ended_are_ended_later(tmp_path: Path, why: str) -> None:
    async with desk("file", tmp_path) as d:
        processes = Processes(ProcessRecords(d.database, d.store._clock))
        await processes._begin()  # without the task that beats: the test does
        dispatcher = Dispatcher(d.store, processes, Ending(d))
        late: dict[str, Any] = {"deadline": 900.0}
        dead: dict[str, Any] = {"durable": False, "status": "running", "process_id": "dead"}
        runs = [await d.put(**(late if why == "late" else dead)) for _ in range(3)]
        await (dispatcher._end_late() if why == "late" else processes.sweep())
        assert [(await d.row(run)).status for run in runs] == ["completed", "running", "running"]
        await processes.sweep()
        assert [(await d.row(run)).status for run in runs] == ["completed"] * 3


@pytest.mark.rule("Q9")
async def test_a_run_that_could_not_be_given_back_waits_again_later(tmp_path: Path) -> None:
    async with desk("file", tmp_path) as d:
        processes = Processes(ProcessRecords(d.database, d.store._clock))
        await processes._begin()
        dispatcher = Dispatcher(d.store, processes, Ending(d))
        run = await d.put()
        (record,) = await d.store.claim(dispatcher.claimant, 1)
        dispatcher._dropped[run] = record.fence
        await processes.sweep()
        assert ((await d.row(run)).status, (await d.row(run)).process_id) == ("queued", None)
