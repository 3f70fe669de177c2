"""`spellwork serve` with two more types of nodes, which note each of their calls in a file (``COUNT_CALLS``).

``count.step`` may be kept and told late; ``count.call`` must not be called twice unawares.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys

from spellwork import Context, Library, Pack, node
from spellwork_server.cli import main


async def note(name: str) -> None:
    """Add a line to the file, whole or not at all, however the process ends; once there is room, where the disk is full."""
    file = os.open(os.environ["COUNT_CALLS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        while True:
            try:
                os.write(file, f"{name}\n".encode())
            except (
                OSError
            ) as error:  # what may be full is the server's disk, and not the one who counts
                if error.errno != errno.EFBIG:
                    raise
                await asyncio.sleep(0.01)
            else:
                return
    finally:
        os.close(file)


def mixed(a: int, b: int) -> int:
    """Return what both nodes give."""
    return (31 * a + 7 * b + 1) % 1_000_003


@node("count.step", title="Step", output="value")
async def step(ctx: Context, a: int, b: int = 0, seconds: float = 0.002) -> int:
    """Mix two numbers, and take its time."""
    await note(ctx.node_id)
    await asyncio.sleep(seconds)
    return mixed(a, b)


@node("count.call", title="Call", output="value", side_effects=True)
async def call(ctx: Context, a: int, b: int = 0, seconds: float = 0.002) -> int:
    """Do the same, as if it cost money."""
    await note(ctx.node_id)
    await asyncio.sleep(seconds)
    return mixed(a, b)


PACK = Pack(name="count", version="1", title="Count", nodes=(step, call))


def serve() -> None:
    """Be the server, with the pack."""
    installed = Library.installed()
    Library.installed = classmethod(lambda _cls: installed.extended([PACK], {}))  # type: ignore[method-assign, assignment]
    main(sys.argv[1:])


if __name__ == "__main__":
    serve()
