"""What a process took to end it ends, also where the store fails in the midst of that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.errors import Unavailable
from spellwork_server.queues.dispatcher import Carried, Dispatcher, _Held
from spellwork_server.queues.processes import Processes
from spellwork_server.storage.processes import ProcessRecords
from spellwork_server.storage.run_records import RunRecord
from spellwork_server.storage.steering import SteerStore
from tests.server.queues.test_claims import Desk, desk
from tests.server.runs.house import until

pytestmark = pytest.mark.anyio


async def nothing() -> None: ...


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
        dispatcher = Dispatcher(d.store, processes, Ending(d), nothing)
        late: dict[str, Any] = {"deadline": 900.0}
        dead: dict[str, Any] = {"durable": False, "status": "running", "process_id": "dead"}
        runs = [await d.put(**(late if why == "late" else dead)) for _ in range(3)]
        await (dispatcher._end_late() if why == "late" else processes.sweep())
        assert [(await d.row(run)).status for run in runs] == ["completed", "running", "running"]
        await processes.sweep()
        assert [(await d.row(run)).status for run in runs] == ["completed"] * 3


class Going(Ending):
    """Carries runs that go on until they are dropped."""

    def __init__(self, d: Desk) -> None:
        super().__init__(d)
        self.runs: list[Goes] = []

    async def carry(self, record: RunRecord, fence: int) -> Carried:
        self.runs.append(Goes(record))
        return self.runs[-1]

    def open_runs(self) -> Iterator[Any]:
        return iter(self.runs)


class Goes:
    def __init__(self, record: RunRecord) -> None:
        self.id, self.fence, self.kept = record.id, record.fence, record
        self.ended = asyncio.Event()

    def cancel(self) -> None: ...

    def fail(self, code: str, message: str) -> None: ...

    def drop(self) -> None:
        self.ended.set()


@pytest.mark.rule("B11", "Q12")
@pytest.mark.parametrize("how", ["fenced", "stopped"])
async def test_what_a_run_took_until_it_was_dropped_counts_when_it_goes_on(
    tmp_path: Path, how: str
) -> None:
    async with desk("file", tmp_path) as d:
        processes = Processes(ProcessRecords(d.database, d.store._clock))
        await processes._begin()
        going = Going(d)
        dispatcher = Dispatcher(d.store, processes, going, nothing)
        run = await d.put()
        (record,) = await d.store.claim(dispatcher.claimant, 1)
        assert record.claimed_at is not None
        dispatcher._skew = record.claimed_at - time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(dispatcher._carry(_Held(record)))
            await until(lambda: bool(going.runs))
            dispatcher._skew += 40  # so much later
            if how == "stopped":
                carrying.cancel()
            else:
                dispatcher.drop_claimed("it could not beat")
        dispatcher._skew += 40  # it waits for the store
        await (dispatcher.leave() if how == "stopped" else dispatcher.renounce())
        assert 40 <= (await d.row(run)).ran < 80


@pytest.mark.rule("Q9")
async def test_a_run_that_could_not_be_given_back_waits_again_later(tmp_path: Path) -> None:
    async with desk("file", tmp_path) as d:
        processes = Processes(ProcessRecords(d.database, d.store._clock))
        await processes._begin()
        dispatcher = Dispatcher(d.store, processes, Ending(d), nothing)
        run = await d.put()
        (record,) = await d.store.claim(dispatcher.claimant, 1)
        dispatcher._dropped[run, record.fence] = 0.0
        await processes.sweep()
        assert ((await d.row(run)).status, (await d.row(run)).process_id) == ("queued", None)


class Quick(Going):
    """Carries a first run that goes on, and then runs that end soon after one another."""

    async def carry(self, record: RunRecord, fence: int) -> Carried:
        run = await super().carry(record, fence)
        if len(self.runs) > 1:
            asyncio.get_running_loop().call_later(0.02 * (1 + len(self.runs) % 3), run.ended.set)
        return run


@pytest.mark.rule("Q14")
async def test_a_process_that_works_off_many_runs_hears_what_is_asked_of_them(
    tmp_path: Path,
) -> None:
    async with desk("file", tmp_path) as d:
        processes = Processes(ProcessRecords(d.database, d.store._clock))
        await processes._begin()
        heard = asyncio.Event()

        async def obey() -> None:
            heard.set()

        quick = Quick(d)
        first = await d.put(priority=5)
        for _ in range(200):
            await d.put()
        async with Dispatcher(d.store, processes, quick, obey, most=3):
            await until(lambda: len(quick.runs) > 10)
            await SteerStore(d.database, d.store._clock).ask(first, processes.id, "pause")
            async with asyncio.timeout(30):
                await heard.wait()
            assert len(quick.runs) < 200
            for run in quick.runs:
                run.ended.set()
