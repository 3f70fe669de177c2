"""A pool with small limits, an attacker's canvas, and somebody else's beside it that must not notice."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spellwork import NodeError
from spellwork.workers import WorkerPool
from spellwork.workers.limits import WorkerLimits
from spellwork.workers.sandbox import LayeredSandbox, find_sandbox
from tests.workers.conftest import Bench

LIMITS = WorkerLimits(
    memory_mb=384,
    cpu_seconds=2,
    processes=24,
    open_files=96,
    files_mb=16,
    wall_seconds=25,
    max_frame=1 << 20,
)
LAYERS = {"bubblewrap", "cgroup", "rlimits", "seccomp", "landlock"}


class Arena:
    """Runs attacks on one canvas of a pool, and looks after another."""

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.attacker = Bench(pool, "attacker")
        self.victim = Bench(pool, "victim")
        self._before: Any = None

    async def attack(self, code: str, **inputs: Any) -> NodeError:
        """Run an attack that must fail; return how it failed. The victim's worker goes on as it was."""
        before = await self.victim.run(WHOSE)
        with pytest.raises(NodeError) as caught:
            await asyncio.wait_for(self.attacker.run(textwrap.dedent(code), **inputs), 30)
        assert await self.victim.run(WHOSE) == before
        assert await self.attacker.run("40 + 2") == {"result": 42}
        return caught.value


WHOSE = """
import os
_note = open("note", "a+")
_note.write("x" if os.path.getsize("note") == 0 else "")
_note.close()
where = os.getcwd()
left = open("note").read()
"""
"""A cell of the victim: its directory, and what it keeps in it."""


def require_layers(sandbox: LayeredSandbox) -> None:
    """Skip where the machine has not all layers; in CI that is a failure."""
    if not sandbox.absent:
        return
    reason = "; ".join(f"{layer}: {why}" for layer, why in sandbox.absent.items())
    if os.environ.get("CI") == "true" and sandbox.bubblewrap is None:
        pytest.fail(f"not all layers are in force: {reason}", pytrace=False)
    if sandbox.bubblewrap is None:
        pytest.skip(reason)


@pytest.fixture(scope="module")
async def arena() -> AsyncIterator[Arena]:
    """One pool for all attacks of a module."""
    require_layers(await find_sandbox())
    async with WorkerPool(size=2, limits=LIMITS) as pool:
        made = Arena(pool)
        await made.victim.run(WHOSE)
        yield made
