"""A process knows who is dead, itself included, whatever wall clocks do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.queues.lifeline import Lifeline
from spellwork_server.queues.processes import Processes
from spellwork_server.storage.database import Database
from spellwork_server.storage.processes import ProcessRecords
from tests.server.storage.databases import opened

pytestmark = pytest.mark.anyio


@dataclass
class Carries:
    """What happened to the runs of a process."""

    taken: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    database: Database | None = None

    async def take_over(self, _process: str, dead: Sequence[str]) -> None:
        self.taken += dead
        assert self.database is not None
        for each in dead:
            await ProcessRecords(self.database).remove(each)

    def drop_claimed(self, _why: str) -> None:
        self.told.append("drop claimed")

    async def renounce(self) -> None:
        self.told.append("renounce")

    def drop_all(self, _why: str) -> None:
        self.told.append("drop all")

    async def leave(self) -> None:
        self.told.append("leave")


@dataclass
class World:
    """Two clocks: the database's, and one that nobody sets."""

    database: Database
    wall: float = 1_000.0
    ticks: float = 0.0

    def process(self, lifeline: Lifeline | None = None) -> Processes:
        async def clock(_conn: AsyncConnection) -> float:
            return self.wall

        made = Processes(
            ProcessRecords(self.database, clock), lifeline=lifeline, monotonic=lambda: self.ticks
        )
        made.carrying = Carries(database=self.database)
        return made

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


def carries(process: Processes) -> Carries:
    assert isinstance(process.carrying, Carries)
    return process.carrying


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with opened("file", folder) as database:
        yield World(database)


async def begun(process: Processes) -> Processes:
    """Register without the task that beats: the test does."""
    await process._begin()
    return process


@pytest.mark.rule("Q11")
async def test_a_process_that_beats_lives_and_one_that_does_not_is_dead_after_its_time(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        one, other = await begun(w.process()), await begun(w.process())
        for _ in range(6):
            w.pass_time(2)
            await other.beat()
            await one.beat()
            await one.sweep()
        assert carries(one).taken == []
        for _ in range(6):
            w.pass_time(2)
            await one.beat()
            await one.sweep()
        assert carries(one).taken == [other.id]


@pytest.mark.rule("Q11")
@pytest.mark.parametrize("jump", [-3_600.0, 3_600.0])
async def test_a_jump_of_the_wall_clock_kills_nobody_who_beats_and_saves_nobody_who_does_not(
    tmp_path: Path, jump: float
) -> None:
    async with world(tmp_path) as w:
        one, other, dead = [await begun(w.process()) for _ in range(3)]
        await one.sweep()
        w.wall += jump
        for _ in range(6):
            await one.sweep()
            w.pass_time(2)
            await other.beat()
            await one.beat()
        await one.sweep()
        assert carries(one).taken == [dead.id]


@pytest.mark.rule("Q11")
async def test_one_whose_lock_is_free_is_dead_at_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        first, second = Lifeline(tmp_path / "processes"), Lifeline(tmp_path / "processes")
        one, other = await begun(w.process(first)), await begun(w.process(second))
        await one.sweep()
        assert carries(one).taken == []
        second._held.pop(other.id).close()  # as the kernel does when a process ends
        await one.sweep()
        assert carries(one).taken == [other.id]
        first.let_go(one.id)


@pytest.mark.rule("Q12")
async def test_a_process_that_was_declared_dead_drops_all_and_begins_anew(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        process = await begun(w.process())
        before = process.id
        await ProcessRecords(w.database).remove(before)
        await process.beat()
        assert carries(process).told == ["drop all"]
        assert process.id != before
        assert [each.id for each in await process.find()] == [process.id]


@pytest.mark.rule("Q12")
async def test_one_that_could_not_beat_drops_what_others_may_carry_until_it_can(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        process = await begun(w.process())
        w.ticks += 9
        assert process.is_fenced
        process._fence()
        assert carries(process).told == ["drop claimed"]
        await process.beat()
        assert carries(process).told == ["drop claimed", "renounce"]
        assert not process.is_fenced
