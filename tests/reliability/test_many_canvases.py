"""RELIABILITY R19: a server on which canvases are opened, edited and closed all day does not grow.

What a canvas costs while it is open comes back when it is closed: after a warm-up, the process's
resident memory grows by at most 5 %.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.seeds import FACTOR

from .served import People, Served, served
from .typist import Typist

pytestmark = [pytest.mark.anyio, pytest.mark.soak]

CANVASES, AGAIN = (40, 3) if FACTOR == 1 else (10_000, 1)
"""Canvases, and how often each is opened after the warm-up, which is as long in `make test`."""

WARM_UP = 120 if FACTOR == 1 else 1_000
AT_ONCE = 10
GROWTH = 1.05


async def open_edit_and_close(socket: Typist, canvases: list[str]) -> None:
    """Let a new tab open each canvas, draw on it and close it again."""
    for canvas in canvases:
        typist = Typist(canvas, "n")
        typist.socket = socket.socket
        await typist.open()
        assert await typist.type_and_wait() is None
        assert await typist.ask("canvas.close") == {"ok": True}


async def visit(world: Served, socket: Typist, canvases: list[str]) -> int:
    """Visit canvases, several at a time; return the server's resident bytes when all are closed."""
    await asyncio.gather(
        *(open_edit_and_close(socket, canvases[start::AT_ONCE]) for start in range(AT_ONCE))
    )
    return int(psutil.Process(world.process.pid).memory_info().rss)


def make_canvases(world: Served, count: int) -> list[str]:
    with world.process.http(world.key) as http:
        return [
            str(http.post("/v1/canvases", json={"name": f"{number}"}).json()["id"])
            for number in range(count)
        ]


@pytest.mark.rule("C13")
async def test_opening_and_closing_canvases_leaves_no_memory_behind(
    people: People, tmp_path: Path
) -> None:
    with served(people, tmp_path, SPELLWORK_GRACE="0", SPELLWORK_SOCKET_RATE="100000") as world:
        canvases = await asyncio.to_thread(make_canvases, world, CANVASES)
        rounds = [canvases[start :: CANVASES // 20] for start in range(CANVASES // 20)] * AGAIN
        socket = Typist(world.canvas, "visitor")
        async with world.online([socket]):
            warm = await visit(world, socket, (canvases * AGAIN)[:WARM_UP])
            sizes = [await visit(world, socket, each) for each in rounds]
        assert sizes[-1] <= warm * GROWTH, f"{warm} bytes grew to {sizes}"
