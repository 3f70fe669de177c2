"""The garbage collector under ours: what dies is found, what lives is walked seldom."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio, gc, weakref
from spellwork_server.garbage import GROWN, MIDDLE, SWEEP_SECONDS, YOUNG, Garbage

class Cycle:
    def __init__(self):
        self.itself = self

async def main():
    garbage = Garbage()
    garbage.begin()
    start = gc.get_freeze_count()
    old = Cycle()
    kept = [[] for _ in range(4 * YOUNG * MIDDLE)]
    await asyncio.sleep(3 * SWEEP_SECONDS)
    assert gc.get_freeze_count() > start + 3 * YOUNG * MIDDLE, "what survives is set aside"
    dead = weakref.ref(old)
    del old
    gc.collect()
    assert dead() is not None, "what is set aside is not walked"
    lived = gc.get_freeze_count()
    while gc.get_freeze_count() < 2 * GROWN * lived and dead() is not None:
        kept.append([[] for _ in range(lived // 2)])
        await asyncio.sleep(2 * SWEEP_SECONDS)
    assert dead() is None, "all is walked once it has grown"
    garbage.end()

asyncio.run(main())
"""


def test_what_survives_is_set_aside_and_walked_again_once_it_has_grown() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
