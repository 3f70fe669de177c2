"""RELIABILITY R7: who may only look writes nothing, over either transport, from the moment that is decided.

Bob types into Ada's canvas over a socket, and follows it over y-websocket, while Ada makes him a
viewer. What he sends after that was answered is refused with a code and is not in the log; his
tabs are told within 5 s. What was refused is still in his tab: as an editor again he sends it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from spellwork_server.sockets import y_messages
from tests.server.rooms.tab import Tab

from .served import People, Served, served
from .typist import Typist

pytestmark = pytest.mark.anyio

EFFECTIVE_WITHIN = 20.0
"""Seconds until open tabs know of a change of role, on a machine that is busy with other tests."""

WAYS = (y_messages.step_2, y_messages.update)
"""How a y-websocket peer brings an edit."""


async def make(world: Served, role: str) -> None:
    """Give Bob a role, as Ada; return when that was answered."""

    def put() -> None:
        with world.process.http(world.key) as http:
            member = {"email": "bob@example.org", "role": role}
            assert http.put(f"/v1/canvases/{world.canvas}/members", json=member).is_success

    await asyncio.to_thread(put)


@asynccontextmanager
async def peer(world: Served, token: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Connect as the y-websocket provider does, and have the document."""
    url = f"{world.url}/v1/canvases/{world.canvas}/sync"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, params={"token": token}) as socket,
    ):
        await socket.send_bytes(y_messages.step_1(b"\0"))
        yield socket


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read to the end; return the code the server closed with."""
    async for _ in socket:
        pass
    return socket.close_code


@pytest.mark.rule("C6", "Y6", "Y7", "Y8")
async def test_a_viewer_writes_nothing_over_either_transport(
    people: People, tmp_path: Path
) -> None:
    with served(people, tmp_path) as world:
        await make(world, "viewer")
        bob, token = Typist(world.canvas, "bob"), people.keys["bob"]
        async with bob.online(world.url, token):
            await bob.open()
            before = await world.log()
            assert await bob.type_and_wait() == "forbidden"
        for way in WAYS:
            async with peer(world, token) as socket:
                await socket.send_bytes(way(Tab().add("mine")))
                assert await closed(socket) == 4403
        opened = await world.check([bob])
        assert opened["seq"] == (before.updates[-1].seq if before.updates else 0)
        assert await world.log() == before


@pytest.mark.rule("C6", "C12", "Y6", "Y7")
async def test_a_downgrade_counts_at_once_is_told_and_loses_no_work(
    people: People, tmp_path: Path
) -> None:
    with served(people, tmp_path) as world:
        await make(world, "editor")
        bob, token = Typist(world.canvas, "bob"), people.keys["bob"]
        async with bob.online(world.url, token), peer(world, token) as socket:
            await bob.open()
            typing = asyncio.create_task(bob.type_for_ever())  # noqa: TID251 - ended below
            await bob.until(lambda: bob.acknowledged > 50)
            await make(world, "viewer")
            decided, last = time.monotonic(), len(bob.typed)
            await bob.until(refused_from(bob, last + 1))
            await bob.until(lambda: bob.roles[-1:] == ["viewer"])
            assert time.monotonic() - decided < EFFECTIVE_WITHIN
            typing.cancel()
            await socket.send_bytes(y_messages.update(Tab().add("mine")))
            assert await closed(socket) == 4403
            assert {code for _, code in bob.refusals} == {"forbidden"}
            assert bob.acknowledged <= last
            opened = await world.check([bob])
            await world.check_numbers(opened["seq"])
            await make(world, "editor")
            await bob.until(lambda: bob.roles[-1] == "editor")
            await bob.open()
            await bob.done()
        await world.check([bob])


def refused_from(typist: Typist, number: int) -> Callable[[], bool]:
    """Whether the edit of a number, or one after it, was refused."""
    return lambda: any(each >= number for each, _ in typist.refusals)
