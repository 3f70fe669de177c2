"""Events are answered, in order, whatever comes in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import engineio
import pytest
import socketio
from aiohttp import web_protocol
from aiohttp._websocket import helpers
from engineio import async_socket

from spellwork_server.sockets import session as session_module
from tests.server.sockets.js_client import drive
from tests.server.sockets.world import World, serve

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def raw(world: World, token: str = "ada") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Give a WebSocket that has connected, to say what no client library would."""
    url = f"{world.url}/socket.io/?EIO=4&transport=websocket"
    impatient = aiohttp.ClientWSTimeout(ws_close=0.2)
    async with aiohttp.ClientSession() as http, http.ws_connect(url, timeout=impatient) as ws:
        await ws.receive_str()
        await ws.send_str(f'40{{"token":"{token}"}}')
        assert (await ws.receive_str()).startswith("40")
        yield ws


@pytest.mark.rule("S10", "S11")
async def test_events_of_a_socket_are_answered_in_the_order_they_came() -> None:
    async with serve() as world, world.client() as client:
        async with asyncio.TaskGroup() as tasks:
            for n in range(60):
                tasks.create_task(client.call("echo.note", {"n": n}))
        assert world.echo.seen == list(range(60))


@pytest.mark.rule("S11")
async def test_an_event_that_let_go_of_its_turn_holds_nobody_up() -> None:
    async with serve() as world, world.client() as client, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(client.call("echo.wait", {"n": 1}))
        assert (await client.call("echo.say", {"text": "meanwhile"}))["ok"]
        assert not waiting.done()
        world.echo.hold.set()


@pytest.mark.rule("S11")
async def test_a_slow_event_holds_others_up_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PATIENCE", 0.05)
    async with serve() as world, world.client() as client, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(client.call("echo.wait", {"n": 0}))
        assert (await client.call("echo.say", {"text": "at last"}))["ok"]
        assert not waiting.done()
        world.echo.hold.set()


@pytest.mark.rule("S10", "S13")
@pytest.mark.parametrize(
    ("event", "payload", "code"),
    [
        ("echo.sya", {"text": "x"}, "unknown_event"),
        ("disconnect", {}, "unknown_event"),
        ("connect", {}, "unknown_event"),
        ("echo.say", {}, "bad_request"),
        ("echo.say", {"text": 7}, "bad_request"),
        ("echo.say", {"text": "x", "colour": 1}, "bad_request"),
        ("echo.say", "text", "bad_request"),
        ("echo.say", ("one", "two"), "bad_request"),
        ("echo.say", None, "bad_request"),
        ("echo.refuse", {"n": 3}, "forbidden"),
        ("echo.broken", {"n": 3}, "internal"),
    ],
)
async def test_a_bad_event_is_answered_with_a_code_and_the_socket_lives_on(
    event: str, payload: object, code: str
) -> None:
    async with serve() as world, world.client() as client:
        answer = await client.call(event, payload)
        assert answer["ok"] is False
        assert answer["error"]["code"] == code
        assert "secret" not in json.dumps(answer)
        assert (await client.call("echo.say", {"text": "fine"}))["text"] == "fine"


@pytest.mark.rule("S11")
async def test_a_flood_of_events_stops_the_reading_and_ends_with_its_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "LINGER", 0.05)
    async with serve() as world:
        async with raw(world) as ws:
            for n in range(2_000):
                await ws.send_str(f'42{n}["echo.wait",{{"n":0}}]')
            (session,) = world.server.sessions
            await world.until(lambda: len(session.running) == 1)
            assert session.queued <= session_module.MAX_QUEUED
            assert ws._response.connection is not None
            assert ws._response.connection.transport is not None
            ws._response.connection.transport.abort()
        await world.until(lambda: not world.server.sessions)


async def test_the_methods_of_the_libraries_that_are_overridden_are_still_there() -> None:
    for name in (
        "_handle_eio_connect",
        "_handle_eio_message",
        "_handle_eio_disconnect",
        "_handle_event",
        "_send_packet",
        "_engineio_server_class",
    ):
        assert callable(getattr(socketio.AsyncServer, name))
    assert callable(engineio.AsyncServer.create_queue)
    assert callable(engineio.AsyncServer.handle_request)
    assert callable(engineio.AsyncServer._handle_connect)
    for name in ("_upgrade_websocket", "schedule_ping", "check_ping_timeout", "receive", "close"):
        assert callable(getattr(async_socket.AsyncSocket, name))
    for name in ("basic_enter_room", "basic_leave_room", "basic_disconnect"):
        assert callable(getattr(socketio.AsyncManager, name))
    for name in ("set_parser", "connection_lost"):
        assert callable(getattr(web_protocol.RequestHandler, name))
    assert callable(helpers.websocket_mask)


@pytest.mark.rule("S12")
async def test_an_unknown_event_names_those_that_are_close() -> None:
    async with serve() as world, world.client() as client:
        answer = await client.call("echo.sya", {})
        assert "echo.say" in answer["error"]["details"]["known"]


@pytest.mark.rule("S14")
@pytest.mark.parametrize(
    "message",
    [
        "42{]",
        "42" + "[" * 100_000,
        "42[7]",
        "42[]",
        "420[NaN]",
        "4x",
        "451-",
        "4517-[]",
        "459999999999-[]",
        '451-["echo.say",{"blob":{"_placeholder":true,"num":9}}]',
    ],
)
async def test_a_client_that_breaks_the_protocol_is_closed_and_others_live_on(
    message: str,
) -> None:
    async with serve() as world, world.client("bob") as bob:
        async with raw(world) as ws:
            await ws.send_str(message)
            if message.startswith("451-["):
                await ws.send_bytes(b"x")
            elif message == "451-":
                await ws.send_str("42[1]")
            async with asyncio.timeout(60):
                while (await ws.receive()).type == aiohttp.WSMsgType.TEXT:
                    pass
            assert ws.closed
        assert (await bob.call("echo.say", {"text": "fine"}))["ok"]
        await world.until(lambda: len(world.server.sessions) == 1)


@pytest.mark.rule("S15")
async def test_attachments_are_bounded_in_bytes() -> None:
    async with serve(max_event_bytes=64 * 1024) as world, raw(world) as ws:
        await ws.send_str('4516-["echo.say",{}]'.replace("4516", "4515"))
        for _ in range(3):
            await ws.send_bytes(bytes(30_000))
        async with asyncio.timeout(60):
            while (await ws.receive()).type == aiohttp.WSMsgType.TEXT:
                pass
        assert ws.closed


@pytest.mark.rule("S15")
async def test_an_event_over_the_limit_closes_its_socket_only() -> None:
    async with serve(max_event_bytes=64 * 1024) as world, world.client("bob") as bob:
        async with raw(world) as ws:
            await ws.send_str('42["echo.say",{"text":"' + "x" * 70_000 + '"}]')
            async with asyncio.timeout(60):
                message = await ws.receive()
            assert message.type == aiohttp.WSMsgType.CLOSE
        assert (await bob.call("echo.say", {"text": "fine"}))["ok"]


@pytest.mark.rule("S8", "S17")
async def test_a_socket_that_does_not_read_is_cut_and_others_get_everything() -> None:
    async with serve(max_pending_bytes=256 * 1024) as world, world.client("bob") as bob:
        heard: list[int] = []
        bob.on("news", lambda news: heard.append(news["n"]))
        await bob.call("echo.join", {"n": 1})
        async with raw(world) as ws:
            await ws.send_str('421["echo.join",{"n":1}]')
            await ws.receive_str()
            assert ws._response.connection is not None
            assert ws._response.connection.transport is not None
            ws._response.connection.transport.pause_reading()
            for n in range(400):
                world.channels.publish("club", "news", {"n": n, "text": "x" * 20_000})
                await asyncio.sleep(0.001)
            await world.until(lambda: len(world.server.sessions) == 1)
        await world.until(lambda: len(heard) == 400)
        assert heard == list(range(400))


@pytest.mark.rule("S17")
async def test_lossy_events_are_the_first_to_go() -> None:
    async with serve(max_pending_bytes=4 * 1024 * 1024) as world, raw(world) as ws:
        (session,) = world.server.sessions
        assert ws._response.connection is not None
        assert ws._response.connection.transport is not None
        ws._response.connection.transport.pause_reading()
        while session.outbox.pending_bytes < 300 * 1024:
            session.send("news", {"text": "x" * 50_000})
            await asyncio.sleep(0)
        before = session.outbox.pending_bytes
        session.send("cursor", {"text": "x" * 50_000}, lossy=True)
        assert session.outbox.pending_bytes <= before
        session.send("news", {"text": "x" * 50_000})
        assert session.outbox.pending_bytes > before


@pytest.mark.rule("F2")
async def test_answers_and_events_keep_their_order() -> None:
    async with serve() as world, raw(world) as ws:
        await ws.send_str('421["echo.join",{"n":1}]')
        assert (await ws.receive_str()).startswith("431")
        for n in range(10):
            world.channels.publish("club", "news", {"n": n})
        await ws.send_str('422["echo.say",{"text":"after"}]')
        said = [await ws.receive_str() for _ in range(11)]
        assert [json.loads(each[2:])[1]["n"] for each in said[:10]] == list(range(10))
        assert said[10].startswith("432")


@pytest.mark.rule("F1", "F4")
async def test_publishing_skips_who_is_to_be_skipped() -> None:
    async with serve() as world, world.client() as ada, world.client("bob") as bob:
        heard: list[tuple[str, int]] = []
        ada.on("news", lambda news: heard.append(("ada", news["n"])))
        bob.on("news", lambda news: heard.append(("bob", news["n"])))
        for client in (ada, bob):
            await client.call("echo.join", {"n": 1})
        first = world.connected[0]
        for n in range(4):
            world.channels.publish("club", "news", {"n": n}, skip=first if n % 2 else None)
        await world.until(lambda: len(heard) == 6)
        assert [n for who, n in heard if who == "ada"] == [0, 2]
        assert [n for who, n in heard if who == "bob"] == [0, 1, 2, 3]


@pytest.mark.rule("F2", "S1")
@pytest.mark.requires("node")
@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_the_javascript_client_gets_events_with_bytes_in_order(transports: list[str]) -> None:
    async with serve() as world, asyncio.TaskGroup() as tasks:
        driven = tasks.create_task(
            drive("echo", world.url, events=50, options={"transports": transports})
        )
        await world.until(lambda: world.channels.members("club") or driven.done(), 20)
        for n in range(50):
            blobs = [bytes([n]), b"two"] if n % 2 else None
            world.channels.publish("club", "news", {"n": n, "blobs": blobs})
            await asyncio.sleep(0.002)
        result = await driven
    assert result["answer"] == {"ok": True, "text": "hi é😀", "blob": [0, 255]}
    assert [news["n"] for news in result["heard"]] == list(range(50))
    assert result["heard"][3]["blobs"] == [[3], [116, 119, 111]]
    assert result["transport"] == transports[-1]


@pytest.mark.rule("S4")
@pytest.mark.requires("node")
async def test_the_javascript_client_sees_why_it_is_refused() -> None:
    async with serve() as world:
        refused = await drive("refused", world.url)
    assert refused["data"]["code"] == "token_invalid"
    assert refused["message"] == refused["data"]["message"]
