"""An event for many is encoded once, written at once or together with the next, and cut to no socket's harm."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.sockets import channels as channels_module
from spellwork_server.sockets.packets import Wire, encode_event
from tests.server.rooms.tab import Tab
from tests.server.sockets.canvas_world import serve_canvases
from tests.server.sockets.world import World, serve

pytestmark = pytest.mark.anyio

PACKETS_OF_A_BURST = 5


class Recorder:
    """Stands before a transport, and notes what is written to it."""

    def __init__(self, transport: asyncio.WriteTransport, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, frames: bytes) -> None:
        self._written.append(frames)
        self._transport.write(frames)


def record_writes(world: World) -> list[bytes]:
    """Note what is written to sockets, in the order in which it is."""
    written: list[bytes] = []
    for session in world.server.sessions:
        assert session.outbox.direct is not None
        session.outbox.direct = Recorder(session.outbox.direct, written)  # type: ignore[assignment]
    return written


@pytest.mark.rule("F1")
async def test_an_event_is_encoded_and_framed_once_for_all_its_receivers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serve() as world, world.client() as ada, world.client("bob") as bob:
        heard: list[str] = []
        for name, client in (("ada", ada), ("bob", bob)):
            client.on("news", lambda _, name=name: heard.append(name))
            await client.call("echo.join", {"n": 1})
        encoded: list[str] = []

        def counted(event: str, data: Any) -> Wire:
            encoded.append(event)
            return encode_event(event, data)

        monkeypatch.setattr(channels_module, "encode_event", counted)
        written = record_writes(world)
        world.channels.publish("club", "news", {"n": 1})
        await world.until(lambda: len(heard) == 2)
        assert encoded == ["news"]
        first, second = written
        assert first is second
        await ada.call("echo.say", {"text": "all that came before this is here"})
        assert sorted(heard) == ["ada", "bob"]


@pytest.mark.rule("F3")
async def test_the_first_event_goes_at_once_and_those_on_its_heels_together() -> None:
    async with serve() as world, world.client() as ada:
        heard: list[int] = []
        ada.on("news", lambda news: heard.append(news["n"]))
        await ada.call("echo.join", {"n": 1})
        written = record_writes(world)
        world.channels.publish("club", "news", {"n": 1})
        assert len(written) == 1
        world.channels._written = math.inf  # just now, however long this machine takes
        for n in range(2, PACKETS_OF_A_BURST):
            world.channels.publish("club", "news", {"n": n})
            assert len(written) == 1, "only the first has gone"
        await world.until(lambda: len(heard) == PACKETS_OF_A_BURST - 1)
        assert heard == list(range(1, PACKETS_OF_A_BURST))
        assert len(written) == 2


@pytest.mark.rule("F4")
async def test_who_joins_a_channel_gets_what_follows_and_nothing_before() -> None:
    async with serve() as world, world.client() as ada, world.client("bob") as bob:
        heard: list[int] = []
        bob.on("news", lambda news: heard.append(news["n"]))
        await ada.call("echo.join", {"n": 1})
        for n in range(6):
            if n == 3:
                (session,) = [each for each in world.connected if each.actor.name == "Bob"]
                world.channels.join(session, "club")
            world.channels.publish("club", "news", {"n": n})
        await world.until(lambda: len(heard) == 3)
        assert heard == [3, 4, 5]


@pytest.mark.rule("S8")
async def test_a_socket_that_is_cut_is_told_why_and_may_come_back_at_once() -> None:
    async with serve() as world, world.client() as ada:
        told: list[dict[str, str]] = []
        gone = asyncio.Event()
        ada.on("session.resync", told.append)
        ada.on("disconnect", lambda *_: gone.set())
        world.server.sessions[0].cut("too_slow", "You lag")
        async with asyncio.timeout(60):
            await gone.wait()
        assert told == [{"code": "too_slow", "message": "You lag"}]
        async with world.client() as again:
            assert (await again.call("echo.say", {"text": "back"}))["ok"]


@pytest.mark.rule("S16")
async def test_a_burst_of_edits_brings_no_event_with_more_attachments_than_clients_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attached: list[int] = []

    def counted(event: str, data: Any) -> Wire:
        wire = encode_event(event, data)
        attached.extend(len(parts) for _, parts in wire.packets)
        return wire

    monkeypatch.setattr(channels_module, "encode_event", counted)
    async with serve_canvases(tmp_path) as world, world.client() as ada, world.client("bob") as bob:
        mine, theirs = Tab(), Tab()
        bob.on("canvas.updates", lambda data: theirs.apply(*data["updates"]))
        await world.open(ada, mine)
        await world.open(bob, theirs)
        updates = [mine.add("a"), *(mine.put("a", "value", n) for n in range(100))]
        async with asyncio.TaskGroup() as tasks:
            for update in updates:
                tasks.create_task(world.update(ada, update))
        async with asyncio.timeout(60):
            while theirs.state() != mine.state():
                await asyncio.sleep(0.005)
    assert 0 < max(attached) <= 10


@pytest.mark.rule("S20")
async def test_events_of_runs_and_answers_reach_a_socket_that_lags_and_count_towards_its_limit() -> (
    None
):
    async with serve(max_pending_bytes=1024 * 1024) as world, world.client() as ada:
        heard: list[int] = []
        ada.on("run.events", lambda events: heard.append(events["events"][0]["seq"]))
        await ada.call("echo.join", {"n": 1})
        (session,) = world.server.sessions
        transport = session.outbox.transport
        assert transport is not None
        ada.eio.ws._response.connection.transport.pause_reading()
        while session.outbox.pending_bytes < session.max_pending_bytes // 3:
            session.send("filler", {"text": "x" * 50_000})
            await asyncio.sleep(0)
        before = session.outbox.pending_bytes
        for seq in range(1, 4):
            world.channels.publish(
                "club", "run.events", {"events": [{"seq": seq, "text": "x" * 9_000}]}
            )
            world.channels.flush()
        assert session.outbox.pending_bytes >= before + 27_000
        ada.eio.ws._response.connection.transport.resume_reading()
        assert (await ada.call("echo.large", {"size": 1_000}))["ok"]
        assert heard == [1, 2, 3]
