"""Jobs are committed together and answered after the commit; each fails alone, unless the store does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import StoreUnavailable, Unavailable
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.schema import STREAMS
from tests.server.storage.databases import KINDS, opened

pytestmark = pytest.mark.anyio


def put(name: str, seq: int = 0) -> Job[str]:
    async def job(conn: AsyncConnection) -> str:
        await conn.execute(insert(STREAMS).values(id=name, seq=seq))
        return name

    return job


async def names(database: Database) -> set[str]:
    async with database.read() as conn:
        return set(await conn.scalars(select(STREAMS.c.id)))


class Broken(Database):
    """A store that fails to begin while ``fault`` is set; ``commits`` counts what it takes."""

    fault: Exception | None = None
    commits = 0

    async def carry_out(
        self, jobs: Sequence[Job[Any]], durable: Callable[[list[Any]], None] = lambda _results: None
    ) -> list[Any]:
        if self.fault is not None:
            raise self.fault

        def committed(results: list[Any]) -> None:
            self.commits += 1
            durable(results)

        return await super().carry_out(jobs, committed)


@asynccontextmanager
async def breakable(folder: Path) -> AsyncIterator[Broken]:
    async with (
        opened("file", folder),
        Broken(f"sqlite+aiosqlite:///{folder / 'spellwork.db'}") as broken,
    ):
        yield broken


@pytest.mark.parametrize("kind", KINDS)
async def test_a_job_is_durable_when_its_future_is_done(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database, GroupCommit(database) as commits:
        assert await commits.submit(put("a")) == "a"
        assert await names(database) == {"a"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bad_job_fails_alone(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database, GroupCommit(database) as commits:
        futures = [commits.submit(put(name)) for name in ("a", "b", "a", "c")]
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert [results[0], results[1], results[3]] == ["a", "b", "c"]
        assert isinstance(results[2], IntegrityError)
        assert await names(database) == {"a", "b", "c"}
        assert commits.failing is None


async def test_jobs_that_wait_share_one_transaction_in_their_order(tmp_path: Path) -> None:
    async with breakable(tmp_path) as database, GroupCommit(database) as commits:
        order: list[int] = []

        def job(number: int) -> Job[None]:
            async def run(conn: AsyncConnection) -> None:
                order.append(number)
                await put(str(number))(conn)

            return run

        await asyncio.gather(*(commits.submit(job(number)) for number in range(100)))
        assert order == list(range(100))
        assert database.commits <= 2


async def test_a_batch_is_bounded(tmp_path: Path) -> None:
    async with breakable(tmp_path) as database, GroupCommit(database, max_batch=10) as commits:
        await asyncio.gather(*(commits.submit(put(str(number))) for number in range(100)))
        assert database.commits >= 10


async def test_a_store_that_fails_refuses_the_batch_and_recovers(tmp_path: Path) -> None:
    async with breakable(tmp_path) as database, GroupCommit(database) as commits:
        database.fault = StoreUnavailable("the disk is full")
        results = await asyncio.gather(
            commits.submit(put("a")), commits.submit(put("b")), return_exceptions=True
        )
        assert [type(each) for each in results] == [StoreUnavailable, StoreUnavailable]
        reason: str | None = commits.failing
        assert reason == "the disk is full"

        database.fault = None
        assert await commits.submit(put("c")) == "c"
        assert commits.failing is None
        assert await names(database) == {"c"}


async def test_closing_commits_what_waits_and_refuses_what_comes(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database:
        async with GroupCommit(database, interval=1) as commits:
            futures = [commits.submit(put(str(number))) for number in range(20)]
        assert all(future.done() for future in futures)
        assert len(await names(database)) == 20
        with pytest.raises(Unavailable):
            await commits.submit(put("late"))


async def test_a_waiter_that_gave_up_does_not_stop_the_others(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database, GroupCommit(database) as commits:
        given_up = commits.submit(put("a"))
        assert given_up.cancel()
        assert await commits.submit(put("b")) == "b"


async def test_an_urgent_job_waits_for_no_interval_and_takes_along_what_waits(
    tmp_path: Path,
) -> None:
    async with breakable(tmp_path) as database, GroupCommit(database, interval=3600) as commits:
        await commits.submit(put("first"))
        waiting = commits.submit(put("waiting"))
        assert await commits.submit(put("urgent"), urgent=True) == "urgent"
        assert await waiting == "waiting"
        later = commits.submit(put("later"))
        assert await commits.submit(put("urgent too"), urgent=True) == "urgent too"
        assert await later == "later"
        assert database.commits == 3
