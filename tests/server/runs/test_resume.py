"""Whoever loses the connection gets every event exactly once, in order, whenever they come back."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from spellwork_server.errors import Forbidden, NotFound
from spellwork_server.runs import spell_manager
from spellwork_server.storage.run_records import insert_run
from tests.seeds import seeds

from .house import ADA, BOB, House, Tab, house, spell_of, sums, until

pytestmark = pytest.mark.anyio


class Client:
    """What a tab does: keep the last number, ask for what is missing, take what comes."""

    def __init__(self, h: House, stream: str) -> None:
        self.house = h
        self.stream = stream
        self.last = 0
        self.seen: list[int] = []
        self.tab: Tab | None = None

    async def connect(self, limit: int) -> None:
        self.tab = tab = await self.house.tab(ADA, "c1")
        while True:
            page = await self.house.call(
                tab, "events.resume", stream=self.stream, after_seq=self.last, limit=limit
            )
            # What came live before the answer (the canvas is open) is repeated by it: SPEC E4.
            tab.sent[:] = [("answer", page["events"])]
            self.take()
            assert page["seq"] == self.last
            if not page["more"]:
                return

    def take(self) -> None:
        assert self.tab is not None
        for name, data in self.tab.sent:
            events = data if name == "answer" else data["events"] if name == "run.events" else []
            for event in events:
                if name == "answer" or data["stream"] == self.stream:
                    self.seen.append(event["seq"])
                    self.last = event["seq"]
        self.tab.sent.clear()

    async def drop(self) -> None:
        assert self.tab is not None
        self.take()
        await self.house.managers.gone(self.tab)
        for members in self.house.channels.members.values():
            members.pop(self.tab, None)


@pytest.mark.rule("E3", "E4")
@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(12))
async def test_a_tab_that_drops_at_random_gets_every_event_exactly_once_in_order(seed: int) -> None:
    """A bad seed is added here by name."""
    chance = random.Random(seed)
    nodes: dict[str, Any] = {
        f"n{i}": {"type": "t.chatter", "inputs": {"count": 400, "every": chance.choice((1, 5, 50))}}
        for i in range(4)
    }
    nodes["s"] = {"type": "t.stream", "inputs": {"count": 300}}
    async with house() as h:
        await h.canvas(spell_of(nodes))
        client = Client(h, "canvas:c1")
        await client.connect(limit=50)
        run = await h.call(ADA, "runs.create", canvas="c1")
        drops = 0
        while h.runners.find(run["id"]) is not None:
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            await client.drop()
            drops += 1
            await client.connect(limit=chance.choice((1, 7, 50, 1_000)))
        await h.ended(run["id"])
        await asyncio.sleep(0)
        client.take()
        last = (await h.journal.log("canvas:c1")).published
        assert client.seen == list(range(1, last + 1))
        assert last > 1_600
        assert drops > 2


@pytest.mark.rule("E3")
async def test_resume_of_a_stream_that_goes_on_joins_without_a_seam() -> None:
    async with house() as h:
        await h.canvas(
            spell_of({"n": {"type": "t.chatter", "inputs": {"count": 3_000, "every": 3}}})
        )
        run = await h.call(ADA, "runs.create", canvas="c1")
        log = await h.journal.log("canvas:c1")
        await until(lambda: log.published > 300)
        client = Client(h, "canvas:c1")
        await client.connect(limit=100)
        await h.ended(run["id"])
        client.take()
        assert client.seen == list(range(1, log.published + 1))


@pytest.mark.rule("E3")
async def test_other_channels_of_the_canvas_go_on_while_a_socket_catches_up() -> None:
    async with house() as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        h.channels.join(tab, "canvas:c1")
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        tab.sent.clear()
        page = await h.call(tab, "events.resume", stream="canvas:c1", limit=1)
        assert page["more"]
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        h.channels.publish("canvas:c1", "canvas.updates", {"seq": 1})
        assert [name for name, _ in tab.sent] == ["canvas.updates"]


@pytest.mark.rule("E3")
async def test_pages_end_early_when_events_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spell_manager, "PAGE", 5)
    monkeypatch.setattr(spell_manager, "PAGE_BYTES", 2_000)
    async with house() as h:
        await h.canvas(spell_of({"n": {"type": "t.chatter", "inputs": {"count": 100}}}))
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        client = Client(h, "canvas:c1")
        await client.connect(limit=5_000)
        assert client.seen == list(range(1, client.last + 1))
        assert client.last > 100


@pytest.mark.rule("E5")
@pytest.mark.parametrize("after_seq", [2, 10_000])
async def test_what_is_not_kept_any_more_asks_for_a_snapshot(after_seq: int) -> None:
    async with house() as h:
        await h.canvas(sums())
        for _ in range(3):
            last = await h.call(ADA, "runs.create", canvas="c1", wait=60)
        async with h.database.write() as conn:
            await conn.exec_driver_sql("DELETE FROM events WHERE seq < 6")
        tab = await h.tab(ADA)
        page = await h.call(tab, "events.resume", stream="canvas:c1", after_seq=after_seq)
        assert page["snapshot_required"] is True
        assert page["events"] == []
        assert page["seq"] == (await h.journal.log("canvas:c1")).published
        assert page["runs"][0]["id"] == last["id"]
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        assert tab.events()[0]["seq"] == page["seq"] + 1


@pytest.mark.rule("E5")
async def test_the_snapshot_of_a_stream_has_the_runs_of_that_stream() -> None:
    async with house() as h:
        await h.canvas(sums())
        shared = await h.call(ADA, "runs.create", canvas="c1", wait=60)
        await h.call(ADA, "runs.create", canvas="c1", audience="private", wait=60)
        kept = await h.records.get(shared["id"])
        assert kept is not None
        call = replace(kept, id="call", parent_id=shared["id"], stream="canvas:c1:calls")
        async with h.database.write() as conn:
            await insert_run(conn, call)
        tab = await h.tab(ADA)
        for stream, runs in (("canvas:c1:calls", ["call"]), ("canvas:c1", [shared["id"]])):
            lost = {"stream": stream, "after_seq": 10_000}
            for operation in ("events.resume", "events.find"):
                page = await h.call(tab, operation, **lost)
                assert page["snapshot_required"]
                assert [each["id"] for each in page["runs"]] == runs


@pytest.mark.rule("E6")
@pytest.mark.parametrize(
    "stream",
    ["", "canvas:", "canvas:c1:user:ada", "user:ada", "canvas:c1;x", "run:abc", "stream:canvas:c1", "*", "canvas:c1:user:"],
)  # fmt: skip
async def test_a_stream_that_is_not_ones_own_is_denied(stream: str) -> None:
    async with house() as h:
        await h.canvas(sums(), bob="editor")
        tab = await h.tab(BOB)
        for operation in ("events.resume", "events.find"):
            with pytest.raises((Forbidden, NotFound)):
                await h.call(tab, operation, stream=stream)


async def test_events_over_rest_are_those_of_the_socket() -> None:
    async with house() as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1", wait=60)
        live = tab.events("canvas:c1")
        assert (await h.call(tab, "events.resume", stream="canvas:c1"))["events"] == live
        assert (await h.call(ADA, "events.find", stream="canvas:c1"))["events"] == live
        assert (await h.call(ADA, "runs.events", id=run["id"]))["events"] == live
        part = await h.call(ADA, "runs.events", id=run["id"], after_seq=3, limit=2)
        assert (part["events"], part["seq"], part["more"]) == (live[3:5], 5, True)
