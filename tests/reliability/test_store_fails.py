"""RELIABILITY R8: while the store fails nothing is acknowledged falsely, and it mends unaided.

The store is a real file that really cannot be written: the disk takes no more bytes (the
operating system's limit on the size of the server's files, set and lifted from outside), another
process holds the database locked, or the folder is moved away under the server. Each time tabs
type before, during and after; the server is then killed, and has what it acknowledged.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests.seeds import FACTOR
from tests.server_process import ServerProcess

from .served import UNUSED, People, Served, served
from .typist import Typist

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process is Linux's"),
]

HELD = 1.0 if FACTOR == 1 else 30.0
"""Seconds for which tabs go on typing while the store fails."""

LOCK_WAIT = 0.5
"""Seconds the server waits for a database that another process holds."""


class HasProcess(Protocol):
    """What there is of a server, for faults of its store."""

    process: ServerProcess


@contextmanager
def full_disk(world: HasProcess) -> Iterator[None]:
    """Let the server's process write no byte more into any file."""
    pid = world.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # stopped meanwhile
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def locked_database(world: HasProcess) -> Iterator[None]:
    """Hold the database as another process that writes does."""
    other = sqlite3.connect(world.process.data / "spellwork.db", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


@contextmanager
def moved_folder(world: Served) -> Iterator[None]:
    """Move the data away under the server, as a volume that goes and comes back."""
    away = world.process.data.with_name("away")
    world.process.data.rename(away)
    try:
        yield
    finally:
        away.rename(world.process.data)


Fault = Callable[[Served], AbstractContextManager[None]]

FAULTS: tuple[Fault, ...] = (full_disk, locked_database)


def store(world: Served) -> tuple[str, str, int]:
    report = world.health()
    return report["status"], report["parts"]["store"], report["parts"]["canvases_at_fault"]


def told(typist: Typist, *, yes: bool) -> Callable[[], bool]:
    """Whether a tab was last told that the store fails."""
    return lambda: ("store_unavailable" in typist.told) is yes


async def type_in_vain(writers: list[Typist]) -> None:
    """Type on while the store fails: no edit is acknowledged, no tab is told that all is well."""
    until = time.monotonic() + HELD
    while time.monotonic() < until:
        for each in writers:
            assert await each.type_and_wait() == "store_unavailable"
            assert "store_unavailable" in each.told
        await asyncio.sleep(0.05)


async def look_in_late(world: Served, key: str) -> None:
    """Come and open the canvas while the store fails: it can be read, and the answer says what is wrong."""
    late = Typist(world.canvas, "late")
    async with late.online(world.url, key):
        opened = await late.open()
        assert "store_unavailable" in {each["code"] for each in opened["problems"]}


async def mend(writers: list[Typist]) -> None:
    """Wait until every tab is told that the store works again, and send what was refused."""
    for each in writers:
        await each.until(told(each, yes=False))
        await each.send_again()
        assert await each.type_and_wait() is None


async def restarted(world: Served, writers: list[Typist]) -> None:
    """Start the server again; see that it has what it acknowledged."""
    await asyncio.to_thread(world.process.start)
    opened = await world.check(writers)
    await world.check_numbers(opened["seq"])


@pytest.mark.rule("R1", "R4", "C11")
async def test_a_store_that_fails_is_told_to_every_tab_and_mends_unaided(
    people: People, tmp_path: Path
) -> None:
    with served(people, tmp_path, lock_wait=LOCK_WAIT) as world:
        writers, reader = world.typists(3), Typist(world.canvas, "looks on")
        everybody = [*writers, reader]
        async with world.online(everybody):
            for each in everybody:
                await each.open()
            for fault, unused in zip(FAULTS, UNUSED, strict=True):
                for each in writers:
                    assert await each.type_and_wait() is None
                with fault(world):
                    codes = {await each.type_and_wait() for each in writers}
                    assert codes == {"store_unavailable"}
                    for each in everybody:
                        await each.until(told(each, yes=True))
                    await look_in_late(world, people.keys[unused])
                    await type_in_vain(writers)
                    assert store(world) == ("degraded", "failing", 1)
                await mend(writers)
                await reader.until(told(reader, yes=False))
                assert store(world) == ("ok", "ok", 0)
            with moved_folder(world):  # open files stay writable: either answer may be true
                for each in writers:
                    assert await each.type_and_wait() in (None, "store_unavailable")
            await mend(writers)
            world.process.kill()
        await restarted(world, writers)


@pytest.mark.rule("R1", "R4", "R6")
@pytest.mark.parametrize("fault", FAULTS[:1] if FACTOR == 1 else FAULTS)
async def test_a_clean_stop_while_the_store_fails_and_after_loses_nothing(
    people: People, tmp_path: Path, fault: Fault
) -> None:
    with served(people, tmp_path, lock_wait=LOCK_WAIT) as world:
        writers = world.typists(3)
        async with world.online(writers):
            for each in writers:
                await each.open()
                assert await each.type_and_wait() is None
            with fault(world):
                codes = {await each.type_and_wait() for each in writers}
                assert codes == {"store_unavailable"}
                await asyncio.to_thread(world.process.stop)
        await restarted(world, writers)
        async with world.online(writers):
            for each in writers:
                await each.open()
                await each.done()
                assert await each.type_and_wait() is None
            await asyncio.to_thread(world.process.stop)
        await restarted(world, writers)
