"""A run that only waits for what it placed gives its place in the queue to others, and has it again however that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.errors import Unavailable
from spellwork_server.queues.places import Place, Places
from spellwork_server.storage.journal import Claim
from spellwork_server.storage.queues import QueueRecord, QueueStore
from tests.server.queues.test_claims import THERE, Desk, desk

pytestmark = pytest.mark.anyio

RUN: Claim = ("r1", 1)


class Failing(QueueStore):
    """A store that cannot be written for so many times that a place is kept."""

    fails = 0

    async def keep(self, claim: Claim) -> None:
        if self.fails:
            self.fails -= 1
            raise Unavailable("The store is full")
        await super().keep(claim)


class Lending:
    """Places of a queue that has one, which is lent by a run."""

    def __init__(self, d: Desk, fails: int = 0) -> None:
        self.desk = d
        store = Failing(d.database, d.store._clock)
        store.fails = fails
        self.work: list[Coroutine[Any, Any, None]] = []
        self.ended = asyncio.Event()
        self.places = Places(store, lambda: "here", lambda: None, self.work.append)

    async def settle(self) -> None:
        """Do what is to be done in the background."""
        while self.work:
            await self.work.pop(0)

    async def lent(self) -> Place:
        await self.desk.store.put(QueueRecord("work", concurrency=1))
        await self.desk.put()
        await self.desk.put()
        assert await self.desk.claim() == ["r1"]
        place = self.places.take(RUN, "work", self.ended)
        place.tell(True)
        await self.settle()
        assert (await self.desk.row("r1")).lent == 1
        return place


@pytest.mark.rule("Q17")
@pytest.mark.parametrize("fails", [0, 2])
async def test_a_run_has_its_place_again_when_its_call_is_cut_off(
    tmp_path: Path, fails: int
) -> None:
    async with desk("file", tmp_path) as d:
        lending = Lending(d, fails)
        place = await lending.lent()
        place.keep()
        lending.places.leave(place)
        assert lending.places.take(RUN, "work", lending.ended) is place  # of which is still written
        lending.places.leave(place)
        await lending.settle()
        assert (await d.row("r1")).lent == 0
        assert await d.claim(THERE) == []
        assert lending.places.take(RUN, "work", lending.ended) is not place


@pytest.mark.rule("Q17")
async def test_a_place_that_cannot_be_kept_holds_nobody_up_once_its_run_is_over(
    tmp_path: Path,
) -> None:
    async with desk("file", tmp_path) as d:
        lending = Lending(d, fails=1_000_000)
        place = await lending.lent()
        place.keep()
        lending.places.leave(place)
        lending.ended.set()
        await lending.settle()
        assert lending.places.take(RUN, "work", lending.ended) is not place
