"""RELIABILITY R1: a server that is killed at any moment has lost no acknowledged edit.

Twenty tabs type over sockets while the process is killed by SIGKILL. What it has after the
restart: every edit that was acknowledged; of the others each update whole or not at all; numbers
without a gap. The tabs return, send again what was not answered, and the next round begins.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.seeds import FACTOR, seeds

from .served import People, Served, served
from .typist import Typist

pytestmark = [pytest.mark.anyio, pytest.mark.soak]

WRITERS = 20
ROUNDS = 3 if FACTOR == 1 else 5
"""Kills of one seed: the 200 seeds of `make soak` are 1,000 of them."""


async def type_until_killed(
    world: Served, typists: Sequence[Typist], chance: random.Random
) -> None:
    """Let all type; kill the process in the same breath as an answer, or at no particular moment."""
    answers, pause = chance.randint(1, 400), chance.random() * 0.02
    async with world.online(typists):
        already = sum(each.acknowledged for each in typists)

        async def watch() -> None:
            while sum(each.acknowledged for each in typists) < already + answers:
                await asyncio.sleep(0.001)
            if chance.random() < 0.5:
                await asyncio.sleep(pause)
            world.process.kill()

        await asyncio.gather(*(each.open() for each in typists))
        async with asyncio.TaskGroup() as tasks:
            typing = [tasks.create_task(each.type_for_ever()) for each in typists]
            await watch()
            for task in typing:
                task.cancel()


@pytest.mark.rule("R1", "R2")
@pytest.mark.parametrize("seed", seeds(1))
async def test_no_acknowledged_edit_is_lost_by_kill_9(
    people: People, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    with served(people, tmp_path) as world:
        typists = world.typists(WRITERS)
        for _ in range(ROUNDS):
            await type_until_killed(world, typists, chance)
            await asyncio.to_thread(world.process.start)
            opened = await world.check(typists)
            await world.check_numbers(opened["seq"])
        async with world.online(typists):
            for each in typists:
                await each.open()
            for each in typists:
                await each.done()
        await world.check(typists)
        assert all(each.refusals == [] for each in typists)
