"""Streams wait for the store and for the tabs of whoever runs; for others, and for tabs that stand still, they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from spellwork_server.runs import followers, stream_log
from spellwork_server.runs import run as run_module
from spellwork_server.runs.followers import Followers

from .house import ADA, house, spell_of, until
from .test_journal import store_fails

pytestmark = pytest.mark.anyio

WORDS = 5_000


def streaming(count: int = WORDS, pause: bool = False) -> dict[str, Any]:
    return spell_of({"s": {"type": "t.stream", "inputs": {"count": count, "pause": pause}}})


@pytest.mark.rule("E9")
async def test_a_stream_waits_for_a_store_that_takes_nothing_and_goes_on_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = 8 * WORDS
    monkeypatch.setattr(run_module, "STREAM_BYTES", 5_000)
    monkeypatch.setattr(stream_log, "LAST_RETRY", 0.05)
    async with house() as h:
        await h.canvas(streaming(words, pause=True))
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        going = h.runners.find(run["id"])
        assert going is not None
        with store_fails(h.commits):
            await until(lambda: going._pace.is_full)
            full = going._pace.pending
            assert full < 60_000, "far from all: what a turn of the loop brings comes on top"
        assert (await h.ended(run["id"]))["status"] == "completed"
        text = "".join(e["value"] for e in tab.events() if e["kind"] == "node.chunk")
        assert text == "".join(f"{index} " for index in range(words))


@pytest.mark.rule("E12")
async def test_a_stream_waits_for_tabs_that_lag_and_says_so() -> None:
    lag = {"ada": True}
    async with house(held_up=lambda stream, user: lag[user]) as h:
        await h.canvas(streaming())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        await until(lambda: any(e["kind"] == "node.waiting" for e in tab.events()))
        waiting = next(e for e in tab.events() if e["kind"] == "node.waiting")
        assert waiting["data"] == {"for": "stream"}
        lag["ada"] = False
        assert (await h.ended(run["id"]))["status"] == "completed"
        text = "".join(e["value"] for e in tab.events() if e["kind"] == "node.chunk")
        assert text == "".join(f"{index} " for index in range(WORDS))


@pytest.mark.rule("E12")
async def test_a_stream_that_waits_for_a_tab_can_be_cancelled() -> None:
    async with house(held_up=lambda stream, user: True) as h:
        await h.canvas(streaming())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        await until(lambda: any(e["kind"] == "node.waiting" for e in tab.events()))
        await h.call(tab, "runs.cancel", id=run["id"])
        assert (await h.ended(run["id"]))["status"] == "cancelled"


@pytest.mark.rule("E7", "12.1")
async def test_bytes_come_as_data_urls_and_the_whole_as_one() -> None:
    async with house() as h:
        await h.canvas(spell_of({"p": {"type": "t.pictures", "inputs": {"count": 3}}}))
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1", wait=60)
        chunks = [e for e in tab.events() if e["kind"] == "node.chunk"]
        assert [url for e in chunks for url in e["value"]] == [
            f"data:application/octet-stream;base64,{body}" for body in ("AA==", "AQ==", "Ag==")
        ]
        assert sum(e["chunks"] for e in chunks) == 3
        output = await h.call(tab, "runs.output", id=run["id"], node="p", port="data")
        assert output["value"] == "data:application/octet-stream;base64,AAEC"


# Who lags


@dataclass
class Somebody:
    user_id: str


@dataclass
class Outbox:
    pending_bytes: int = 0


@dataclass(eq=False)
class Socket:
    actor: Somebody
    outbox: Outbox
    max_pending_bytes: int = 6_400


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Sockets:
    def __init__(self, *sockets: Socket) -> None:
        self.sockets = sockets

    def members(self, channel: str) -> tuple[Socket, ...]:
        return self.sockets if channel == "stream:canvas:c" else ()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(followers, "time", clock)
    return clock


@pytest.mark.rule("E12")
def test_a_tab_holds_up_from_an_eighth_to_a_sixteenth(clock: Clock) -> None:
    socket = Socket(Somebody("ada"), Outbox())
    found = Followers(Sockets(socket))
    for pending, held in (
        (0, False),
        (800, False),
        (801, True),
        (500, True),
        (400, False),
        (700, False),
    ):
        socket.outbox.pending_bytes = pending
        assert found.hold_up("canvas:c", "ada") is held, pending
    assert clock.now == 0


@pytest.mark.rule("E12")
def test_somebody_elses_tab_holds_nobody_up(clock: Clock) -> None:
    found = Followers(Sockets(Socket(Somebody("bob"), Outbox(6_000))))
    assert not found.hold_up("canvas:c", "ada")
    assert found.hold_up("canvas:c", "bob")
    assert not found.hold_up("canvas:other", "bob")


@pytest.mark.rule("E12")
def test_a_tab_that_stands_still_holds_nobody_up_for_long(clock: Clock) -> None:
    socket = Socket(Somebody("ada"), Outbox(3_000))
    found = Followers(Sockets(socket))
    assert found.hold_up("canvas:c", "ada")
    clock.now = followers.PATIENCE - 0.1
    assert found.hold_up("canvas:c", "ada")
    socket.outbox.pending_bytes = 2_900  # it took something: it is waited for again
    assert found.hold_up("canvas:c", "ada")
    clock.now += followers.PATIENCE + 0.1
    socket.outbox.pending_bytes = 2_850  # too little
    assert not found.hold_up("canvas:c", "ada")
    socket.outbox.pending_bytes = 5_000
    assert not found.hold_up("canvas:c", "ada")
    socket.outbox.pending_bytes = 2_000  # it goes on
    assert found.hold_up("canvas:c", "ada")
