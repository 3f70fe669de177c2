"""Attacks on a server process of its own, and what they cost it (R14, R15, R17; server/SPEC.md, S5, S14, S15, S17)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from spellwork_server.settings import Settings
from tests.seeds import FACTOR, examples
from tests.server.sockets.raw_socket import (
    BINARY,
    TEXT,
    HungUp,
    RawSocket,
    dial,
    frame,
    raw_socket,
)
from tests.server.sockets.world import World, serve

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
LIMIT = Settings().max_event_bytes
CONNECT_TIMEOUT = 2.0
MOST_HELD = 10 * MIB
MOST_STALL = 0.2
"""Seconds that the server may be deaf to others; on a machine that is busy with other tests PATIENCE
times as long."""
PATIENCE = 1 if FACTOR > 1 else 20


@dataclass
class Victim:
    """The server, watched from another socket."""

    url: str
    canvas: str
    process: psutil.Process
    heartbeats: list[float] = field(default_factory=list)
    """Seconds of each answer to a trivial event."""

    def memory(self) -> int:
        return int(self.process.memory_full_info().uss)


@asynccontextmanager
async def victim(folder: Path, **settings: float) -> AsyncIterator[Victim]:
    """Start a server with a canvas, and a socket that asks it something again and again."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.server.sockets.canvas_process",
        str(folder),
        "",
        stdout=asyncio.subprocess.PIPE,
        env={f"SPELLWORK_{name.upper()}": str(value) for name, value in settings.items()},
    )
    try:
        assert process.stdout is not None
        url, canvas = (await process.stdout.readline()).decode().split()
        found = Victim(url, canvas, psutil.Process(process.pid))
        async with raw_socket(url, token="eve") as watch, asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(_beat(watch, found.heartbeats))
            yield found
            beating.cancel()
    finally:
        process.kill()
        await process.wait()


async def _beat(ws: RawSocket, taken: list[float]) -> None:
    while True:
        began = time.monotonic()
        await ws.send('421["canvas.close",{"canvas":"none"}]')
        await ws.until("431")
        taken.append(time.monotonic() - began)
        await asyncio.sleep(0.02)


# The attacks. Each is made by somebody unknown and by somebody known.


async def announced_but_never_sent(ws: RawSocket) -> None:
    """The head of an event with too many attachments."""
    parts = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(1_000))
    await ws.write(frame(TEXT, f'451000-["canvas.update",[{parts}]]'.encode()))


async def attachment_bomb(ws: RawSocket) -> None:
    """Sixteen attachments that are together far over the limit, the last one missing."""
    await ws.write(frame(TEXT, b'4516-["canvas.update",{"update":{"_placeholder":true,"num":0}}]'))
    for _ in range(15):
        await ws.write(frame(BINARY, bytes(LIMIT // 4)))


async def deep_json(ws: RawSocket) -> None:
    """Arrays in arrays, within the limit of somebody unknown and far deeper than the stack."""
    await ws.write(frame(TEXT, b'42["canvas.open",' + b"[" * 60_000))
    await ws.write(frame(TEXT, b'42["canvas.open",' + b"[" * 30_000 + b"]" * 30_000 + b"]"))


async def one_byte_too_many(ws: RawSocket) -> None:
    """A message that is announced with a length just over the limit."""
    await ws.write(frame(TEXT, b'42["canvas.close",{"canvas":"' + b"x" * LIMIT + b'"}]'))


ATTACKS = (announced_but_never_sent, attachment_bomb, deep_json, one_byte_too_many)


@pytest.mark.rule("S14", "S15")
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_an_attack_costs_little_and_ends_with_its_socket(tmp_path: Path, known: bool) -> None:
    """R17, S14, S15."""
    async with victim(tmp_path) as server:
        for attack in (*ATTACKS, *ATTACKS):  # the first round warms what is made once
            before = server.memory()
            peak = await ended(server, attack, "bob" if known else None)
            assert peak - before <= MOST_HELD, f"{attack.__name__}: {(peak - before) / MIB:.1f} MiB"
        assert max(server.heartbeats) < 2 * PATIENCE * MOST_STALL, "others wait"


async def ended(
    server: Victim, attack: Callable[[RawSocket], Awaitable[None]], token: str | None
) -> int:
    """Attack until the server hangs up; return the most memory it had meanwhile."""
    peak = server.memory()
    async with (
        asyncio.timeout(60),
        raw_socket(server.url, token=token) as ws,
        asyncio.TaskGroup() as tasks,
    ):
        attacking = tasks.create_task(_attack(ws, attack))
        while not attacking.done():
            peak = max(peak, server.memory())
            await asyncio.sleep(0.005)
    return peak


async def _attack(ws: RawSocket, attack: Callable[[RawSocket], Awaitable[None]]) -> None:
    try:
        await attack(ws)
    except HungUp:
        return
    await ws.gone()


@pytest.mark.rule("S5")
async def test_silent_connections_are_closed_in_time(tmp_path: Path) -> None:
    """R17, S5."""
    async with victim(tmp_path, connect_timeout=CONNECT_TIMEOUT) as server:
        before = server.memory()
        began = time.monotonic()
        silent = [await dial(server.url) for _ in range(100)]
        held = server.memory() - before
        async with asyncio.timeout(60):
            await asyncio.gather(*(each.gone() for each in silent))
        for each in silent:
            each.abort()
        assert time.monotonic() - began < CONNECT_TIMEOUT + 20
        assert held <= MOST_HELD
        assert max(server.heartbeats) < PATIENCE * MOST_STALL


@pytest.mark.soak
async def test_sockets_that_vanish_at_once_stall_nobody(tmp_path: Path) -> None:
    """R15: 5,000 in `make soak`."""
    count = min(5_000, examples(500))
    async with victim(tmp_path, max_sockets=count) as server:
        crowd = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.server.sockets.crowd_process",
            server.url,
            server.canvas,
            str(count),
            stdout=asyncio.subprocess.PIPE,
        )
        assert crowd.stdout is not None
        assert await crowd.stdout.readline() == b"there\n"
        server.heartbeats.clear()
        crowd.kill()
        await crowd.wait()
        async with asyncio.timeout(30):
            while len(server.heartbeats) < 30:
                await asyncio.sleep(0.05)
        assert max(server.heartbeats) <= PATIENCE * MOST_STALL


@pytest.mark.rule("S17", "S20")
async def test_one_that_does_not_read_holds_little_and_hurts_nobody() -> None:
    """R14, S17: 60 MB to it and to one that reads."""
    async with serve() as world:
        alone = await _traffic(world)
        async with raw_socket(world.url, token="bob") as idle:
            await idle.send('420["echo.join",{"n":1}]')
            await idle.until("430")
            (session,) = [each for each in world.server.sessions if each.actor.name == "Bob"]
            held: list[int] = []
            over: list[float] = []

            def watch() -> None:
                held.append(session.outbox.pending_bytes)
                if session.closed and not over:
                    over.append(time.monotonic())

            beside = await _traffic(world, watch)
            async with asyncio.timeout(60):
                while session in world.server.sessions:
                    await asyncio.sleep(0.01)
            assert max(held) <= 5 * MIB
            assert over, "it was never cut"
            async with asyncio.timeout(max(0.1, over[0] + 20 - time.monotonic())):
                await idle.gone()
        assert beside <= 1.1 * alone + PATIENCE * 0.02


async def _traffic(world: World, watch: Callable[[], None] = lambda: None) -> float:
    """Publish 60 MB to a socket that reads; return the 99th percentile of how long they took."""
    async with raw_socket(world.url, token="ada", window=4 * MIB) as ws:
        await ws.send('420["echo.join",{"n":1}]')
        await ws.until("430")
        taken: list[float] = []

        async def read() -> None:
            for number in range(1_500):
                _, (_, news), _ = await ws.event()
                assert news["n"] == number
                taken.append(time.monotonic() - news["at"])

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            for number in range(1_500):
                news = {"n": number, "at": time.monotonic(), "text": "x" * 40_000}
                world.channels.publish("club", "news", news)
                watch()
                await asyncio.sleep(0.001)
        return sorted(taken)[int(len(taken) * 0.99)]
