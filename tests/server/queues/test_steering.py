"""A run is paused, played and stepped at any process, each time once; who asks learns what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spellwork_server.errors import Unavailable
from spellwork_server.queues import steering as module
from spellwork_server.queues.steering import Steering
from spellwork_server.storage.queues import Claimant
from spellwork_server.storage.run_records import RunRecords, remove_run
from spellwork_server.storage.steering import NOT_THERE, SteerStore, Told, What
from tests.server.queues.test_claims import DATABASES, Desk, desk
from tests.server.runs.house import until

pytestmark = pytest.mark.anyio


@dataclass
class Goes:
    """A run that a process carries."""

    status: str = "running"
    steps: int = 0
    is_let_go: bool = False
    begun: bool = True

    @property
    def is_open(self) -> bool:
        return self.status in ("running", "paused")

    def pause(self) -> None:
        self.status = "paused"

    def play(self) -> None:
        self.status = "running"

    def step(self) -> bool:
        done = self.begun and self.status == "paused"
        self.steps += done
        return done


@dataclass
class Process:
    """What a process has of steering; ``looks`` as its dispatcher does."""

    name: str
    desk: Desk
    runs: dict[str, Goes] = field(default_factory=dict)
    obeyed: int = 0
    steering: Steering = field(init=False)

    def __post_init__(self) -> None:
        store = SteerStore(self.desk.database, self.desk.store._clock)
        records = RunRecords(self.desk.database)
        self.steering = Steering(store, records, self.find, lambda: self.name)

    def find(self, run: str) -> Goes | None:
        return self.runs.get(run)

    @asynccontextmanager
    async def looks(self) -> AsyncIterator[None]:
        async def look() -> None:
            while True:
                if (await self.desk.store.look(Claimant(self.name))).steered:
                    await self.steering.obey()
                    self.obeyed += 1
                await asyncio.sleep(0.005)

        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(look())
            yield
            looking.cancel()

    async def steer(self, run: str, what: What) -> Told | None:
        return await self.steering.steer(await self.desk.row(run), what)


@pytest.mark.rule("Q14")
@DATABASES
async def test_a_run_is_steered_at_a_process_that_does_not_carry_it(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        run = await d.put(status="running", process_id="there")
        goes = Goes()
        here, there = Process("here", d), Process("there", d, {run: goes})
        async with there.looks():
            assert await here.steer(run, "step") == Told("running", False)
            assert await here.steer(run, "pause") == Told("paused", True)
            told = await asyncio.gather(*(here.steer(run, "step") for _ in range(5)))
            assert told == [Told("paused", True)] * 5
            assert await here.steer(run, "play") == Told("running", True)
            assert (goes.status, goes.steps) == ("running", 5)
            goes.status = "completed"
            assert await here.steer(run, "pause") == Told("completed", False)
            assert not (await d.store.look(Claimant("there"))).steered


@pytest.mark.rule("Q14")
@DATABASES
async def test_a_run_that_changes_hands_is_steered_where_it_comes_to(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        run = await d.put(status="running", process_id="there")
        here, there = Process("here", d), Process("there", d, {run: Goes(is_let_go=True)})
        async with there.looks(), asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(here.steer(run, "pause"))
            await until(lambda: there.obeyed > 1)
            here.runs[run] = Goes()
        assert asked.result() == Told("paused", True)


@pytest.mark.rule("Q14")
async def test_what_nobody_answers_is_given_up_and_not_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    async with desk("file", tmp_path) as d:
        here, there = Process("here", d), Process("there", d)
        gone = await d.put(status="running", process_id="there")
        lies = await d.put()
        assert await here.steer(gone, "pause") is None
        assert await here.steer(lies, "pause") is None
        goes = there.runs[gone] = Goes()
        await there.steering.obey()
        await SteerStore(d.database, d.store._clock).ask(gone, "there", "pause")
        d.time[0] += 60
        await there.steering.obey()
        assert goes.status == "running"


@pytest.mark.rule("Q14")
async def test_what_was_done_is_answered_though_the_store_failed_and_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk("file", tmp_path) as d:
        run = await d.put(status="running", process_id="there")
        goes = Goes("paused")
        here, there = Process("here", d), Process("there", d, {run: goes})
        answer = SteerStore.answer

        async def fail(_store: SteerStore, _answers: object) -> None:
            monkeypatch.setattr(SteerStore, "answer", answer)
            raise Unavailable("The store is full")

        monkeypatch.setattr(SteerStore, "answer", fail)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(here.steer(run, "step"))
            await until_steered(d)
            with pytest.raises(Unavailable):
                await there.steering.obey()
            await there.steering.obey()
        assert asked.result() == Told("paused", True)
        assert goes.steps == 1


@pytest.mark.rule("Q14")
async def test_a_run_that_has_not_begun_makes_no_step(tmp_path: Path) -> None:
    async with desk("file", tmp_path) as d:
        run = await d.put(status="paused", process_id="here")
        here = Process("here", d, {run: Goes("paused", begun=False)})
        assert await here.steer(run, "step") == Told("paused", False)


@pytest.mark.rule("Q14")
async def test_a_run_that_was_removed_is_not_there(tmp_path: Path) -> None:
    async with desk("file", tmp_path) as d:
        run = await d.put(status="running", process_id="there")
        here, record = Process("here", d), await d.row(run)
        async with d.database.write() as conn:
            await remove_run(conn, run)
        assert await here.steering.steer(record, "pause") == NOT_THERE


async def until_steered(d: Desk) -> None:
    """Wait until something is asked of a run there."""
    while not (await d.store.look(Claimant("there"))).steered:
        await asyncio.sleep(0.005)
