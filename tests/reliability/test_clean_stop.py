"""A stop by SIGTERM under load loses nothing that was acknowledged, and answers nothing wrongly.

Twenty tabs type while the server is told to stop. What was acknowledged is there after the
restart; what was refused is not; what was not answered is there whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from spellwork_server.rooms.update_parser import parse_state_vector
from tests.seeds import seeds

from .served import People, Served, served
from .typist import Typist

pytestmark = [pytest.mark.anyio, pytest.mark.soak]

WRITERS = 20


async def type_until_stopped(
    world: Served, typists: list[Typist], chance: random.Random
) -> subprocess.Popen[bytes]:
    """Tell the process to stop after some answers; wait until every socket is closed."""
    process = world.process._process
    assert process is not None
    answers = chance.randint(1, 400)
    async with world.online(typists):
        await asyncio.gather(*(each.open() for each in typists))
        async with asyncio.TaskGroup() as tasks:
            typing = [tasks.create_task(each.type_for_ever()) for each in typists]
            while sum(each.acknowledged for each in typists) < answers:
                await asyncio.sleep(0.001)
            os.kill(process.pid, signal.SIGTERM)
            for each in typists:
                await each.offline()
            for task in typing:
                task.cancel()
    return process


@pytest.mark.rule("R1", "R2", "R6", "S9")
@pytest.mark.parametrize("seed", seeds(1))
async def test_a_stop_under_load_is_true_to_every_answer(
    people: People, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    with served(people, tmp_path) as world:
        typists = world.typists(WRITERS)
        process = await type_until_stopped(world, typists, chance)
        assert await asyncio.to_thread(process.wait, 15) == 0
        assert "Traceback" not in world.process.log
        await asyncio.to_thread(world.process.start)
        opened = await world.check(typists)
        await world.check_numbers(opened["seq"])
        vector = parse_state_vector(opened["state_vector"])
        for typist in typists:
            codes = {code for _, code in typist.refusals}
            assert codes <= {"unavailable", "update_gap"}, "the next after a refused one is a gap"
            for number, _ in typist.refusals:
                assert vector[typist.client_id] < typist.typed[number - 1].clock
