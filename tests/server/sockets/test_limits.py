"""What one socket, known or not, may ask for and send."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from spellwork_server.identity import CanvasAccess
from spellwork_server.sockets.session import MOVES_AT_ONCE
from spellwork_server.sockets.unproven import UNPROVEN_BYTES
from tests.server.rooms.tab import Tab
from tests.server.sockets.canvas_world import serve_canvases
from tests.server.sockets.raw_socket import TEXT, HungUp, RawSocket, dial, frame, raw_socket
from tests.server.sockets.world import serve

pytestmark = pytest.mark.anyio


@pytest.mark.rule("S21")
async def test_a_socket_that_asks_for_too_much_is_told_when_to_come_again() -> None:
    async with serve(socket_rate=2) as world, world.client() as ada, world.client("bob") as bob:
        answers = [await ada.call("echo.note", {"n": n}) for n in range(40)]
        refused = [each["error"] for each in answers if not each["ok"]]
        assert len(refused) > 10
        assert {each["code"] for each in refused} == {"rate_limited"}
        assert all(each["details"]["retry_after"] >= 1 for each in refused)
        assert (await bob.call("echo.note", {"n": 1}))["ok"], "others are not held back"


@pytest.mark.rule("S21")
async def test_opening_canvases_costs_more_than_other_events(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path, socket_rate=2) as world, world.client() as ada:
        opened = 0
        while (await world.open(ada, Tab()))["ok"]:
            opened += 1
        assert 0 < opened <= 5
        assert (await ada.call("canvas.close", {"canvas": world.canvas})).get("ok") is not None


@pytest.mark.rule("S21")
async def test_opening_with_a_long_state_vector_costs_more_still(tmp_path: Path) -> None:
    vector = _uint(20_000) + b"".join(_uint(client) + b"\1" for client in range(20_000))
    async with serve_canvases(tmp_path, socket_rate=2) as world, world.client() as ada:
        asked = {"canvas": world.canvas, "client_id": 1, "state_vector": vector}
        answers = [await ada.call("canvas.open", asked) for _ in range(2)]
        assert [each["ok"] for each in answers] == [True, False]
        assert answers[1]["error"]["code"] == "rate_limited"


@pytest.mark.rule("S21")
async def test_edits_are_never_refused_for_coming_fast(tmp_path: Path) -> None:
    """They are held back by not being read."""
    async with serve_canvases(tmp_path, socket_rate=2) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        updates = [tab.add(f"n{number}") for number in range(100)]
        answers = await asyncio.gather(*(world.update(ada, update) for update in updates))
        assert all(each["ok"] for each in answers)


@pytest.mark.rule("S22")
async def test_of_moves_that_come_too_fast_the_latest_arrives(tmp_path: Path) -> None:
    async with (
        serve_canvases(tmp_path) as world,
        world.client() as ada,
        world.client("bob") as bob,
    ):
        mine, other = Tab(), Tab()
        heard: list[bytes] = []
        await world.open(ada, mine)
        await world.open(bob, other)
        bob.on("canvas.awareness", lambda event: heard.append(event["update"]))
        moves = 4 * MOVES_AT_ONCE
        for number in range(moves):
            state = f'{{"cursor":{number}}}'.encode()
            update = bytes((1, *_uint(mine.doc.client_id), *_uint(number + 1), len(state))) + state
            answer = await ada.call("canvas.awareness", {"canvas": world.canvas, "update": update})
            assert answer["ok"]
        async with asyncio.timeout(60):
            while not any(f'"cursor":{moves - 1}'.encode() in each for each in heard):
                await asyncio.sleep(0.01)
        assert len(heard) < moves / 2


def _uint(value: int) -> bytes:
    out = []
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    return bytes((*out, value))


@pytest.mark.rule("S23")
async def test_few_of_one_address_may_wait_to_prove_themselves() -> None:
    async with serve(max_unproven=3) as world:
        waiting = [await dial(world.url) for _ in range(3)]
        with pytest.raises(HungUp, match="429"):
            await dial(world.url)
        async with aiohttp.ClientSession() as http:
            address = f"{world.url}/socket.io/?EIO=4&transport=polling"
            assert (await http.get(address)).status == 429
        await waiting[0].connect("ada")
        waiting[1].abort()
        async with asyncio.timeout(60):
            await _eventually(world.url)
        async with raw_socket(world.url, token="bob"):
            pass
        for each in waiting:
            each.abort()


async def _eventually(url: str) -> None:
    """Knock until there is room."""
    while True:
        try:
            knocking = await dial(url)
        except HungUp:
            await asyncio.sleep(0.01)
        else:
            knocking.abort()
            return


@pytest.mark.rule("S23")
async def test_somebody_unknown_has_little_to_say() -> None:
    """Many who are not known could otherwise each fill the largest event."""
    async with serve() as world, world.client("bob") as bob:
        half = frame(TEXT, b"4" + b"x" * (2 * UNPROVEN_BYTES))[:-1]  # one byte is missing for ever
        for attack in (half, frame(TEXT, b'42["echo.say",{}]') * (UNPROVEN_BYTES // 16)):
            async with raw_socket(world.url) as ws:
                with pytest.raises(HungUp):  # noqa: PT012 - it may break off at any byte
                    await ws.write(attack)
                    while True:
                        await ws.receive()
        async with aiohttp.ClientSession() as http:
            address = f"{world.url}/socket.io/?EIO=4&transport=polling"
            opened = await (await http.get(address)).text()
            sid = opened.split('"sid":"')[1].split('"')[0]
            body = "4" + "x" * (UNPROVEN_BYTES + 1)
            assert (await http.post(f"{address}&sid={sid}", data=body)).status == 413
        assert (await bob.call("echo.say", {"text": "x" * (2 * UNPROVEN_BYTES)}))["ok"]


@pytest.mark.rule("S23")
async def test_who_proved_themselves_may_send_large_events_at_once() -> None:
    """The limit ends with the proof, also for what follows it at once."""
    async with serve() as world, raw_socket(world.url) as ws:
        await ws.write(frame(TEXT, b'40{"token":"ada"}'))
        while not (await ws.receive()).startswith(b"40"):
            pass
        for number in range(3):
            text = f'42{number}["echo.say",{{"text":"{"x" * 3 * UNPROVEN_BYTES}"}}]'
            await ws.send(text)
            assert (await ws.receive()).startswith(f"43{number}".encode())


@pytest.mark.rule("S6")
@pytest.mark.parametrize("answer", ["refused", "slow", "silent"])
async def test_nobody_gets_a_frame_before_the_proof_whatever_goes_on(answer: str) -> None:
    """RELIABILITY R18: twenty at the door while every channel is busy."""
    async with serve() as world, world.client("bob") as bob:
        await bob.call("echo.join", {"n": 1})
        world.tokens.delay = 0.3 if answer == "slow" else 0.0
        at_door = [await dial(world.url) for _ in range(20)]
        if answer != "silent":
            token = "ada" if answer == "slow" else "nobody"
            for each in at_door:
                await each.send(f'40{{"token":"{token}"}}')
        for number in range(200):
            for channel in ("club", "user:u-ada", "user:u-bob"):
                world.channels.publish(channel, "news", {"n": number})
            await asyncio.sleep(0.001)
        for each in at_door:
            assert (
                await first_words(each, silent=answer == "silent")
                == {
                    "refused": b"44",
                    "slow": b"40",
                    "silent": b"",
                }[answer]
            )
            each.abort()


async def first_words(ws: RawSocket, *, silent: bool) -> bytes:
    """Return the head of the first Socket.IO packet that a connection got; none when it is silent."""
    assert (await ws.receive()).startswith(b'0{"sid"')
    if not silent:
        return (await ws.receive())[:2]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await ws.receive()
    return b""


@pytest.mark.rule("S11")
async def test_no_edit_overtakes_one_whose_permission_takes_long_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second would be refused: it builds on the first."""
    monkeypatch.setattr("spellwork_server.sockets.session.PATIENCE", 0.01)
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        updates = [tab.add(f"n{number}") for number in range(5)]
        read, slowly = world.records._read_access, iter((0.2,))

        async def read_slowly(canvas_id: str) -> CanvasAccess:
            await asyncio.sleep(next(slowly, 0))
            return await read(canvas_id)

        monkeypatch.setattr(world.records, "_read_access", read_slowly)
        world.records._access.clear()
        answers = await asyncio.gather(*(world.update(ada, update) for update in updates))
        assert all(each["ok"] for each in answers), answers


@pytest.mark.rule("S26")
async def test_a_user_has_so_many_sockets_and_nobody_else_is_kept_out() -> None:
    async with serve(max_sockets=2) as world, world.client() as first, world.client() as second:
        async with raw_socket(world.url) as third:
            await third.send('40{"token":"ada"}')
            error = (await third.until("44"))["data"]
            assert error["code"] == "too_many_sockets"
            assert error["details"] == {"retry_after": 10, "limit": 2}
        async with world.client("bob") as bob:
            for each in (first, second, bob):
                assert (await each.call("echo.note", {"n": 1}))["ok"]
        await second.disconnect()
        await world.until(lambda: len(world.server.sessions) == 1)
        async with world.client() as again:
            assert (await again.call("echo.note", {"n": 1}))["ok"]


@pytest.mark.rule("S26")
async def test_who_connects_anew_on_a_connection_takes_no_further_place() -> None:
    async with serve(max_sockets=2) as world:
        for _ in range(3):
            async with raw_socket(world.url) as socket:
                await socket.send('40{"token":"ada"}')
                await socket.until("40")
                await socket.send("41")
                await world.until(lambda: not world.server.sessions)
                await socket.send('40{"token":"ada"}')
                await socket.gone()
        async with world.client() as client:
            assert (await client.call("echo.note", {"n": 1}))["ok"]
