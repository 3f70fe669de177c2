"""The garbage collector under ours: what dies is found, and what lives is not walked again for nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from spellwork_server import garbage

pytestmark = pytest.mark.anyio

SCRIPT = """
import asyncio, gc, weakref
from spellwork_server.garbage import AT_ONCE, LOOK_SECONDS, Garbage

class Cycle:
    def __init__(self):
        self.itself = self

walks = []
gc.callbacks.append(lambda phase, info: walks.append(1) if phase == "start" and info["generation"] == 2 else None)

async def main():
    garbage = Garbage()
    garbage.begin()
    old = Cycle()
    kept = [[] for _ in range(20 * AT_ONCE)]
    await asyncio.sleep(2 * LOOK_SECONDS)
    assert len(walks) == 2, "at start, and when there was much more: not in between"
    dead = weakref.ref(old)
    del old
    kept += [[] for _ in range(2 * AT_ONCE)]
    await asyncio.sleep(2 * LOOK_SECONDS)
    assert len(walks) == 2, "a tenth more is no reason"
    assert dead() is not None
    kept += [[] for _ in range(10 * AT_ONCE)]
    while len(walks) == 2:  # when it is time again, by how long the last walk took
        await asyncio.sleep(LOOK_SECONDS)
    assert dead() is None
    assert len(walks) == 3
    garbage.end()

asyncio.run(main())
"""


def test_the_old_are_collected_when_enough_is_new() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


class Slow:
    """In the place of both ``gc`` and ``time``: a walk takes 60 ms of a clock that a test moves, and much is always new."""

    def __init__(self) -> None:
        self.now = 0.0
        self.walks = 0

    def perf_counter(self) -> float:
        return self.now

    def collect(self) -> None:
        self.walks += 1
        self.now += 0.06

    def get_objects(self, _generation: int) -> list[object]:
        return []

    def get_count(self) -> tuple[int, int, int]:
        return (0, 0, 1_000)

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_: None


async def test_a_walk_that_took_long_is_followed_by_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    for name in ("gc", "time"):
        monkeypatch.setattr(garbage, name, slow)
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.001)
    collector = garbage.Garbage()
    collector.collect()

    async def walks_at(now: float) -> int:
        """Return how many walks there were when the time has been looked at a few times."""
        slow.now = now
        await asyncio.sleep(0.02)
        return slow.walks

    collector.begin()
    before = slow.walks
    try:
        assert await walks_at(1.0) == before
        assert await walks_at(2.5) == before + 1
        assert await walks_at(4.0) == before + 1
        assert await walks_at(5.0) == before + 2
    finally:
        collector.end()
