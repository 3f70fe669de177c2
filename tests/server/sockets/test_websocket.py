"""WebSockets of ours do what RFC 6455 asks: frames in any cut, control frames between, and an end for who breaks it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import pack

import pytest

from spellwork_server.sockets import engine, websocket
from tests.server.sockets.raw_socket import RawSocket, frame, raw_socket
from tests.server.sockets.world import World, serve

pytestmark = pytest.mark.anyio

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def part(first: int, payload: bytes, mask: bytes = b"\x11\x22\x33\x44") -> bytes:
    """Return a short masked frame with any first byte."""
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return pack("!BB", first, 0x80 | len(payload)) + mask + masked


@asynccontextmanager
async def known(world: World) -> AsyncIterator[RawSocket]:
    async with raw_socket(world.url, token="ada", window=1 << 20) as ws:
        yield ws


async def closed_with(ws: RawSocket) -> int:
    """Read until the close frame; return its code."""
    while True:
        opcode, payload = await ws._frame()
        if opcode == CLOSE:
            return int.from_bytes(payload[:2], "big")


async def answer(ws: RawSocket, ack: str) -> object:
    return (await ws.until(ack))[0]


@pytest.mark.rule("S1")
async def test_frames_may_come_in_any_cut_and_control_frames_between_parts() -> None:
    async with serve() as world, known(world) as ws:
        whole = b'421["echo.say",{"text":"' + "é😀".encode() * 10 + b'"}]'
        frames = (
            part(TEXT, whole[:20])  # a message in three parts, with a ping in its midst
            + part(0x80 | PING, b"still there?")
            + part(CONTINUATION, whole[20:60])
            + part(0x80 | CONTINUATION, whole[60:])
        )
        for at in range(0, len(frames), 3):
            await ws.write(frames[at : at + 3])
            await asyncio.sleep(0)
        opcode, payload = await ws._frame()
        while opcode != PONG:
            opcode, payload = await ws._frame()
        assert payload == b"still there?"
        assert await answer(ws, "431") == {"ok": True, "text": "é😀" * 10, "blob": None}


HOSTILE: list[tuple[bytes, int]] = [
    (b"\x81\x05hello", 1002),
    (part(0xC1, b"x"), 1002),
    (part(0x83, b"x"), 1002),
    (part(0x80 | CONTINUATION, b"x"), 1002),
    (part(TEXT, b"x") + part(0x80 | TEXT, b"y"), 1002),
    (part(PING, b"in parts"), 1002),
    (pack("!BBH", 0x80 | PING, 0x80 | 126, 126) + bytes(130), 1002),
    (part(0x80 | TEXT, b"\xff\xfe"), 1007),
    (part(0x80 | CLOSE, b"\x03"), 1002),
    (part(0x80 | CLOSE, pack("!H", 1005)), 1002),
    (pack("!BBQ", 0x80 | TEXT, 0x80 | 127, 1 << 62), 1009),
    *((part(first, b"x"), 1002) for first in (0xA1, 0x91, 0xC0, 0xC9, 0xB8)),
    *((part(0x80 | opcode, b""), 1002) for opcode in (4, 5, 6, 7, 11, 12, 13, 14, 15)),
    (b"\x89\x00", 1002),
    (b"\x88\x02\x03\xe8", 1002),
    (part(CLOSE, b""), 1002),
    (part(CONTINUATION, b""), 1002),
    (part(TEXT, b"") + part(BINARY, b""), 1002),
    (pack("!BBH", 0x80 | CLOSE, 0x80 | 126, 126) + bytes(130), 1002),
    (pack("!BBH", 0x80 | TEXT, 0x80 | 126, 125) + bytes(129), 1002),
    (pack("!BBQ", 0x80 | TEXT, 0x80 | 127, 65_535), 1002),
    (pack("!BBQ", 0x80 | TEXT, 0x80 | 127, 1 << 63), 1002),
    (part(TEXT, b"x") + pack("!BBQ", 0x80, 0x80 | 127, 1 << 40), 1009),
    (part(TEXT, b"\xc3") + part(0x80 | PING, b"") + part(0x80, b"\x28"), 1007),
    (part(0x80 | TEXT, b"\xed\xa0\x80"), 1007),
    (part(0x80 | TEXT, b"\xf4\x90\x80\x80"), 1007),
    (part(0x80 | CLOSE, pack("!H", 1000) + b"\xff"), 1007),
    *(
        (part(0x80 | CLOSE, pack("!H", code)), 1002)
        for code in (0, 999, 1004, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    ),
    *(
        (part(0x80 | CLOSE, pack("!H", code)), code)
        for code in (1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999)
    ),
    (part(0x80 | CLOSE, pack("!H", 1000) + b"x" * 123), 1000),
    (part(0x80 | CLOSE, pack("!H", 4321) + b"bye"), 4321),
    (part(0x80 | CLOSE, b""), 1000),
]
"""What a client sends, and the code with which it is closed."""


@pytest.mark.rule("S24")
async def test_who_breaks_the_protocol_is_told_so_and_nobody_else_notices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSING_SECONDS", 0.05)
    async with serve() as world, known(world) as other:
        for sent, code in HOSTILE:
            async with raw_socket(world.url, window=1 << 20) as ws:
                await ws.write(sent)
                assert (sent, await closed_with(ws)) == (sent, code)
                await ws.gone()
        async with known(world) as ws:
            await ws.write(HOSTILE[0][0])
            assert await closed_with(ws) == HOSTILE[0][1]
        await world.until(lambda: len(world.server.sessions) == 1)
        await other.send('421["echo.note",{"n":1}]')
        assert await answer(other, "431")


@pytest.mark.rule("S24")
async def test_frames_without_content_and_pings_between_parts_are_no_breach() -> None:
    async with serve() as world, known(world) as ws:
        empty = part(CONTINUATION, b"") + part(0x80 | PONG, b"unasked")
        await ws.write(
            part(TEXT, b"")
            + empty * 50
            + part(CONTINUATION, b'421["echo.note",')
            + part(0x80 | PING, b"p" * 125)
            + part(CONTINUATION, b'{"n":1}]')
            + part(0x80 | CONTINUATION, b"")
        )
        seen = [await ws._frame() for _ in range(2)]
        assert (PONG, b"p" * 125) in seen
        assert any(payload.startswith(b"431") for _, payload in seen)


@pytest.mark.rule("S24")
@pytest.mark.parametrize("half", [b"\x81", b"\x81\xfe\x01", part(0x80 | TEXT, b"hello")[:-1]])
async def test_who_falls_silent_within_a_frame_holds_up_nobody_and_is_closed(
    half: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOOK", 0.02)
    async with serve() as world:
        eio = world.server._socketio.eio
        eio.ping_interval, eio.ping_timeout = 0.2, 0.6
        async with known(world) as silent:
            await silent.write(half)
            async with known(world) as other:
                await other.send('421["echo.note",{"n":1}]')
                assert await answer(other, "431")
            async with asyncio.timeout(60):
                await closed_with(silent)


@pytest.mark.rule("S11")
async def test_what_comes_while_the_handshake_is_looked_at_waits_its_turn() -> None:
    async with serve() as world, raw_socket(world.url, window=1 << 20) as ws:
        world.tokens.delay = 0.05
        hello = frame(TEXT, b"40" + json.dumps({"token": "ada"}).encode())
        notes = [frame(TEXT, b'42%d["echo.note",{"n":%d}]' % (n, n)) for n in range(300)]
        await ws.write(hello + b"".join(notes) + part(0x80 | CLOSE, pack("!H", 1000)))
        assert await closed_with(ws) == 1000
        await world.until(lambda: len(world.left) == 1)
        assert world.echo.seen == sorted(world.echo.seen), "in order, as far as it was listened to"


async def test_what_comes_before_the_answer_to_the_handshake_is_not_lost() -> None:
    async with serve() as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{world.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            + frame(TEXT, b'40{"token":"ada"}')
        )
        await reader.readuntil(b"\r\n\r\n")
        ws = RawSocket(reader, writer)
        async with asyncio.timeout(60):
            while not (await ws.receive()).startswith(b"40"):
                pass
        ws.abort()


async def test_a_request_that_is_no_handshake_leaves_nothing_behind() -> None:
    async with serve() as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{world.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 12\r\n\r\n".encode()
        )
        assert b" 400 " in await reader.readline()
        writer.close()
        eio = world.server._socketio.eio
        assert not eio.sockets
        assert not eio.live


@pytest.mark.rule("S1")
async def test_a_quiet_socket_is_pinged_and_one_that_does_not_answer_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "LOOK", 0.02)
    async with serve() as world:
        eio = world.server._socketio.eio
        eio.ping_interval, eio.ping_timeout = 0.1, 1.0
        async with known(world) as quick, known(world) as dead:
            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(quick.gone())  # answers pings as they come
                await world.until(lambda: len(world.left) == 1)
                assert not reading.done()
                reading.cancel()
            async with asyncio.timeout(60):
                await closed_with(dead)


async def test_an_idle_socket_has_no_task_of_its_own() -> None:
    async with serve() as world, world.client() as client:
        await client.call("echo.note", {"n": 1})
        before = len(asyncio.all_tasks())
        async with known(world), known(world), known(world):
            await world.until(lambda: len(world.server.sessions) == 4)
            await world.until(lambda: len(asyncio.all_tasks()) <= before)
