"""A socket proves who it is at connect, and nothing reaches one that has not."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
import socketio

from tests.server.sockets.world import ADA, World, serve

pytestmark = pytest.mark.anyio


async def refusal(world: World, **options: object) -> dict:
    """Connect in vain and return the data of the refusal."""
    client = socketio.AsyncClient(reconnection=False)
    heard: list[dict] = []
    client.on("connect_error", heard.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(world.url, transports=["websocket"], **options)
    await client.disconnect()
    assert heard, "no connect_error arrived"
    return heard[0]


@pytest.mark.rule("S2")
@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"token": "ada"}, {}),
        (None, {"Authorization": "Bearer ada"}),
        ({"token": "ada"}, {"Authorization": "Bearer nobody"}),
    ],
    ids=["handshake", "header", "the handshake goes first"],
)
async def test_a_socket_proves_itself_by_handshake_or_header(auth: dict, headers: dict) -> None:
    async with serve() as world:
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            world.url, auth=auth, headers=headers, transports=["websocket"], wait_timeout=30
        )
        assert (await client.call("echo.say", {"text": "hi"}))["text"] == "hi"
        assert world.connected[0].actor == ADA
        await client.disconnect()


@pytest.mark.rule("S2", "S3")
async def test_the_session_cookie_counts_only_from_an_allowed_origin() -> None:
    async with serve() as world:
        cookie = {"Cookie": "spellwork_session=ada"}
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            world.url,
            headers=cookie | {"Origin": world.url},
            transports=["websocket"],
            wait_timeout=30,
        )
        await client.disconnect()
        refused = await refusal(world, headers=cookie)
        assert refused["data"]["code"] == "unauthenticated"


@pytest.mark.rule("S3")
async def test_a_foreign_origin_is_refused_before_anything_else() -> None:
    async with serve() as world, aiohttp.ClientSession() as http:
        for origin in ("https://evil.example", "null", f"http://127.0.0.1:{world.port + 1}"):
            url = f"{world.url}/socket.io/?EIO=4&transport=polling"
            async with http.get(url, headers={"Origin": origin}) as response:
                assert response.status == 400
                assert "not an accepted origin" in await response.text()


@pytest.mark.rule("S4")
@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "unauthenticated"),
        ({"token": "nobody"}, "token_invalid"),
        ({"token": 7}, "bad_request"),
        ("ada", "bad_request"),
    ],
)
async def test_a_refused_socket_is_told_the_code_and_the_reason(auth: object, code: str) -> None:
    async with serve() as world:
        refused = await refusal(world, auth=auth)
        assert refused["data"]["code"] == code
        assert refused["message"] == refused["data"]["message"]
        assert world.server.sessions == ()


@pytest.mark.rule("S5")
async def test_a_silent_connection_is_closed_in_time_with_the_reason() -> None:
    async with serve(connect_timeout=0.3) as world, aiohttp.ClientSession() as http:
        url = f"{world.url}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url) as ws:
            opened = await ws.receive_str()
            assert opened.startswith("0{")
            async with asyncio.timeout(60):
                said = await ws.receive_str()
                closed = await ws.receive()
        assert said.startswith("44")
        assert json.loads(said[2:])["data"]["code"] == "unauthenticated"
        assert closed.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


@pytest.mark.rule("S6")
async def test_a_slow_proof_gets_no_frame_before_it_is_accepted() -> None:
    async with serve() as world, aiohttp.ClientSession() as http:
        world.tokens.delay = 0.2
        url = f"{world.url}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url) as ws:
            await ws.receive_str()
            await ws.send_str('40{"token":"ada"}')
            for n in range(20):
                world.channels.publish("user:u-ada", "news", {"n": n})
                await asyncio.sleep(0.005)
            first = await ws.receive_str()
            assert first.startswith("40")


@pytest.mark.rule("S6")
async def test_events_before_the_proof_are_not_answered() -> None:
    async with serve(connect_timeout=0.5) as world, aiohttp.ClientSession() as http:
        url = f"{world.url}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url) as ws:
            await ws.receive_str()
            await ws.send_str('420["echo.say",{"text":"hi"}]')
            said = await ws.receive_str()
            assert said.startswith("44")
        assert world.echo.seen == []


@pytest.mark.rule("S7")
async def test_a_revoked_sign_in_closes_its_open_sockets() -> None:
    async with serve() as world, world.client() as ada, world.client("bob") as bob:
        heard: list[dict] = []
        gone = asyncio.Event()
        ada.on("session.revoked", heard.append)
        ada.on("disconnect", lambda *_: gone.set())
        del world.tokens.actors["ada"]
        async with asyncio.timeout(60):
            await gone.wait()
        assert heard[0]["code"] == "token_revoked"
        assert (await bob.call("echo.say", {"text": "still here"}))["ok"]


@pytest.mark.rule("S1")
async def test_polling_works_as_well() -> None:
    async with serve() as world, world.client(transports=["polling"]) as client:
        answer = await client.call("echo.say", {"text": "slow", "blob": b"\x00\xff"})
        assert answer == {"ok": True, "text": "slow", "blob": b"\x00\xff"}
        heard: list[dict] = []
        client.on("news", heard.append)
        for n in range(5):
            world.channels.publish("user:u-ada", "news", {"n": n, "blob": b"ab"})
        await world.until(lambda: len(heard) == 5)
        assert heard[4] == {"n": 4, "blob": b"ab"}


@pytest.mark.rule("F5")
async def test_each_session_is_announced_and_taken_leave_of_once() -> None:
    async with serve() as world:
        async with world.client():
            assert [each.actor for each in world.connected] == [ADA]
        await world.until(lambda: world.left == world.connected)
        assert world.channels.names() == ()
        assert world.server.sessions == ()


@pytest.mark.rule("S9")
async def test_stopping_says_so_and_lets_what_is_under_way_be_answered() -> None:
    async with serve() as world, world.client() as client, asyncio.TaskGroup() as tasks:
        heard: list[dict] = []
        client.on("server.stopping", heard.append)
        waiting = tasks.create_task(client.call("echo.wait", {"n": 1}))
        await world.until(lambda: any(each.running for each in world.server.sessions))
        stop = tasks.create_task(world.server.stop())
        await world.until(lambda: heard)
        world.echo.hold.set()
        assert (await waiting)["ok"]
        await stop
        assert world.server.sessions == ()


@pytest.mark.rule("S9")
async def test_stopping_cuts_a_connection_that_no_session_stands_behind() -> None:
    async with serve() as world, aiohttp.ClientSession() as http:
        address = f"{world.url}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(address) as silent:
            assert (await silent.receive()).data.startswith("0{")
            await world.server.stop()
            closing = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
            while (await silent.receive(timeout=60)).type not in closing:
                pass
