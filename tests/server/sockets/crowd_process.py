"""A crowd in a process of its own, to vanish all at once: ``python -m ... URL CANVAS COUNT`` says when it is there.

Every tenth has the canvas open.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop

from tests.server.sockets.raw_socket import RawSocket, dial

AT_ONCE = 50


async def main(url: str, canvas: str, count: int) -> None:
    crowd: list[RawSocket] = []
    for start in range(0, count, AT_ONCE):
        ids = range(start + 1, min(start + AT_ONCE, count) + 1)
        crowd += await asyncio.gather(*(_enter(url, canvas, client_id) for client_id in ids))
    sys.stdout.write("there\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _enter(url: str, canvas: str, client_id: int) -> RawSocket:
    ws = await dial(url)
    await ws.connect("bob")
    if client_id % 10:
        return ws
    request = {"canvas": canvas, "client_id": client_id}
    await ws.send("420" + json.dumps(["canvas.open", request]))
    while not (await ws.event())[0].endswith("-0"):
        pass
    return ws


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
