"""The garbage collector under ours: what dies is found, and what lives is not walked again for nothing."""

from __future__ import annotations

import subprocess
import sys

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
    await asyncio.sleep(2 * LOOK_SECONDS)
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
