"""A server in a process of its own, to be killed: ``python -m ... FOLDER CANVAS`` prints its address."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from spellwork_server.garbage import Garbage
from tests.server.sockets.canvas_world import serve_canvases


async def main(folder: str, canvas: str) -> None:
    async with serve_canvases(Path(folder), canvas=canvas or None) as world:
        Garbage().begin()
        sys.stdout.write(f"{world.url} {world.canvas}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:3]))
