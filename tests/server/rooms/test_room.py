"""An edit is checked, durable, then acknowledged and sent to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Map, Text

from spellwork.spell import Node, Spell
from spellwork_server.errors import ServerError, Unavailable
from spellwork_server.rooms import Committed
from spellwork_server.rooms import room as room_module
from spellwork_server.rooms.errors import (
    CanvasQuarantined,
    CanvasTooLarge,
    ClientIdTaken,
    SchemaViolation,
    UpdateGap,
    UpdateInvalid,
    UpdateTooLarge,
)
from tests.server.rooms.house import house
from tests.server.rooms.tab import Tab

pytestmark = pytest.mark.anyio


@pytest.mark.rule("R1")
async def test_an_edit_is_in_the_log_when_it_is_acknowledged(tmp_path: Path, kept_url: str) -> None:
    async with house(tmp_path, database_url=kept_url) as h, h.rooms.visit(h.canvas) as room:
        seq = await room.apply_update(h.ada, Tab().add("a"))
        assert seq == room.seq == 1
        assert [each.user_id for each in await h.log.after(h.canvas, 0)] == [h.ada.user_id]
        assert list(room.spell().nodes) == ["a"]


@pytest.mark.rule("C7")
async def test_others_get_what_was_committed_and_the_author_does_not(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        update = Tab().add("a")
        await room.apply_update(h.ada, update, origin="ada's tab")
        channel, event, data, skip = h.heard.events[-1]
        assert (channel, event, skip) == (f"canvas:{h.canvas}", "canvas.updates", "ada's tab")
        assert data == {"canvas": h.canvas, "seq": 1, "updates": [update]}


@pytest.mark.rule("R1")
async def test_nothing_is_said_before_the_commit(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        async with asyncio.TaskGroup() as tasks, h.database.write():
            edit = tasks.create_task(room.apply_update(h.ada, Tab().add("a")))
            await asyncio.sleep(0.05)
            assert not edit.done()
            assert h.heard.of("canvas.updates") == []
            assert room.spell().nodes == {}
        assert edit.result() == 1


@pytest.mark.rule("R2")
async def test_edits_that_arrive_together_are_committed_in_order(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        updates = [tab.add("a"), *(tab.put("a", "value", i) for i in range(50))]
        edits = [room.apply_update(h.ada, each) for each in updates]
        numbers = await asyncio.gather(*edits)
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(1, room.seq + 1))
        assert room.spell().nodes["a"].inputs == {"value": 49}
        logged = await h.log.after(h.canvas, 0)
        assert [each.seq for each in logged] == list(range(1, room.seq + 1))
        copy = Tab()
        copy.apply(*(each.body for each in logged))
        assert copy.state() == tab.state()


@pytest.mark.rule("C7")
async def test_edits_that_were_committed_together_are_sent_as_one(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob, copy = Tab(), Tab(), Tab()
        edits = [
            room.apply_update(actor, tab.add(f"{name}{i}"))
            for i in range(25)
            for actor, tab, name in ((h.ada, ada, "a"), (h.bob, bob, "b"))
        ]
        await asyncio.gather(*edits)
        said = h.heard.of("canvas.updates")
        assert [len(data["updates"]) for data in said] == [1] * len(said)
        assert said[-1]["seq"] == room.seq == 50
        copy.apply(*(data["updates"][0] for data in said))
        drawn = [f"{name}{i}" for i in range(25) for name in "ab"]
        assert sorted(copy["nodes"].keys()) == sorted(drawn)


@pytest.mark.rule("R1")
async def test_a_canvas_comes_back_as_it_was(tmp_path: Path, kept_url: str) -> None:
    tab = Tab()
    async with house(tmp_path, database_url=kept_url) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            await room.apply_update(h.ada, tab.code("b", "x * 21é😀"))
            await room.apply_update(h.ada, tab.put("b", "x", 2))
            spell = room.spell()
    async with house(tmp_path, canvas, database_url=kept_url) as h, h.rooms.visit(canvas) as room:
        assert room.spell() == spell
        assert room.seq == 2
        assert await room.apply_update(h.ada, tab.put("b", "x", 3)) == 3


@pytest.mark.rule("C8")
async def test_the_same_edit_twice_is_harmless(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        first, second = tab.add("a"), tab.put("a", "value", 1)
        both = [room.apply_update(h.ada, each) for each in (first, second, first, second, first)]
        numbers = await asyncio.gather(*both)
        assert max(numbers) == room.seq
        assert await room.apply_update(h.ada, first) == room.seq
        logged = await h.log.after(h.canvas, 0)
        assert [each.seq for each in logged] == list(range(1, room.seq + 1))
        copy = Tab()
        copy.apply(*(each.body for each in logged))
        assert copy.state() == tab.state()


@pytest.mark.rule("C8")
async def test_a_duplicate_of_an_edit_under_way_waits_for_its_commit(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        update = Tab().add("a")
        async with asyncio.TaskGroup() as tasks, h.database.write():
            edits = [tasks.create_task(room.apply_update(h.ada, update)) for _ in range(2)]
            await asyncio.sleep(0.05)
            assert not any(edit.done() for edit in edits)
        assert [edit.result() for edit in edits] == [1, 1]


def forged(tab: Tab) -> bytes:
    return Tab(tab.doc.client_id).add("mine")


REFUSALS: dict[str, tuple[Any, type[ServerError], str]] = {
    "rubbish": (lambda tab: b"rubbish", UpdateInvalid, "update_invalid"),
    "an unknown root": (
        lambda tab: b"\x01\x01\x05\x00\x28\x01\x04more\x01k\x01\x7e\x00",
        UpdateInvalid,
        "update_invalid",
    ),
    "a gap": (lambda tab: (tab.put("a", "v", 1), tab.put("a", "v", 2))[1], UpdateGap, "update_gap"),
    "too large": (lambda tab: tab.put("a", "v", "x" * 3_000), UpdateTooLarge, "update_too_large"),
    "an unknown field": (
        lambda tab: tab.edit(lambda: tab["nodes"]["a"].update({"colour": "red"})),
        SchemaViolation,
        "schema_violation",
    ),
    "a wrong type": (
        lambda tab: tab.edit(lambda: tab["nodes"]["a"].update({"type": 7})),
        SchemaViolation,
        "schema_violation",
    ),
    "a plain text for shared code": (
        lambda tab: tab.edit(lambda: tab["nodes"]["a"].update({"code": "x"})),
        SchemaViolation,
        "schema_violation",
    ),
    "plain fields for shared inputs": (
        lambda tab: tab.edit(lambda: tab["nodes"]["a"].update({"inputs": {"value": 1}})),
        SchemaViolation,
        "schema_violation",
    ),
    "a shared text for a plain value": (
        lambda tab: tab.put("a", "v", Text("x")),
        SchemaViolation,
        "schema_violation",
    ),
    "a plain value for a node": (
        lambda tab: tab.edit(lambda: tab["nodes"].update({"a": "x"})),
        SchemaViolation,
        "schema_violation",
    ),
    "an edge without ends": (
        lambda tab: tab.edit(lambda: tab["edges"].update({"e": Map({"source": "a"})})),
        SchemaViolation,
        "schema_violation",
    ),
    "too many nodes": (
        lambda tab: tab.edit(
            lambda: [tab["nodes"].update({f"n{i}": Map({"type": "t"})}) for i in range(9)]
        ),
        SchemaViolation,
        "schema_violation",
    ),
}


@pytest.mark.rule("U3", "U4", "U5", "U6")
@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refused_edit_leaves_the_canvas_as_it_was(tmp_path: Path, name: str) -> None:
    make, kind, code = REFUSALS[name]
    async with (
        house(tmp_path, max_update_bytes=2_000, max_spell_nodes=5) as h,
        h.rooms.visit(h.canvas) as room,
    ):
        tab, good = Tab(), Tab()
        await room.apply_update(h.ada, tab.add("a"))
        before = room.spell(), room.state_vector(), room.diff()
        bad = make(tab)
        with pytest.raises(kind) as refusal:
            await room.apply_update(h.ada, bad)
        assert refusal.value.code == code
        assert (room.spell(), room.state_vector(), room.diff()) == before
        assert await room.apply_update(h.bob, good.add("b")) == 2


@pytest.mark.rule("U8")
async def test_a_canvas_that_is_full_takes_deletions_and_nothing_else(tmp_path: Path) -> None:
    limit = 64 * 1024
    async with house(tmp_path, max_canvas_bytes=limit) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        for number in range(limit // 2_000):
            await room.apply_update(h.ada, tab.put("a", f"v{number}", "x" * 1_000))
        with pytest.raises(CanvasTooLarge) as refusal:
            await room.apply_update(h.ada, tab.put("a", "more", "x" * limit))
        assert refusal.value.details == {"limit": limit}
        node = Node(type="t", inputs={"more": "x" * limit})
        with pytest.raises(CanvasTooLarge):
            await room.change_spell(
                h.ada, lambda spell: spell.model_copy(update={"nodes": {"c": node}})
            )
        assert set(room.spell().nodes) == {"a"}
        tidy = Tab()
        tidy.apply(room.diff())
        assert await room.apply_update(h.bob, tidy.remove("nodes", "a")) > 0
        await room.apply_update(h.bob, tidy.add("b"))
        assert set(room.spell().nodes) == {"b"}


@pytest.mark.rule("U6")
async def test_refused_edits_leave_no_trace_in_memory(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        bad = tab.edit(lambda: tab["nodes"]["a"].update({"type": 7}))
        known = len(room._owners)
        for _ in range(20):
            with pytest.raises(SchemaViolation):
                await room.apply_update(h.ada, bad)
        assert len(room._owners) == known


async def refusal(edit: Awaitable[int]) -> str:
    with pytest.raises(ServerError) as refused:
        await edit
    return refused.value.code


async def test_after_a_fault_of_the_room_every_edit_is_answered_and_the_server_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        monkeypatch.setattr(room, "_fan_out", broken)
        monkeypatch.setattr(room_module, "MAX_BATCH", 1)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            first = tasks.create_task(room.apply_update(h.ada, ada.add("a")))
            second = tasks.create_task(refusal(room.apply_update(h.bob, bob.add("b"))))
        assert first.result() == 1
        assert second.result() == "canvas_quarantined"
        with pytest.raises(CanvasQuarantined):
            await room.apply_update(h.ada, ada.add("c"))
        assert h.canvas in h.rooms.faults


@pytest.mark.rule("U6")
async def test_a_refusal_spares_the_edits_that_wait_before_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        edits = [
            room.apply_update(h.ada, ada.add("a")),
            room.apply_update(h.bob, bob.edit(lambda: bob["nodes"].update({"b": "no map"}))),
            room.apply_update(h.ada, ada.put("a", "value", 1)),
        ]
        first, second, third = await asyncio.gather(*edits, return_exceptions=True)
        assert (first, third) == (1, 2)
        assert isinstance(second, SchemaViolation)


@pytest.mark.rule("C5")
async def test_a_client_id_belongs_to_who_used_it_first(tmp_path: Path) -> None:
    tab = Tab(client_id=77)
    async with house(tmp_path) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            await room.apply_update(h.ada, tab.add("a"))
            with pytest.raises(ClientIdTaken):
                await room.apply_update(h.bob, tab.put("a", "value", 1))
    async with house(tmp_path, canvas) as h, h.rooms.visit(canvas) as room:
        with pytest.raises(ClientIdTaken):
            await room.apply_update(h.bob, tab.put("a", "value", 1))


@pytest.mark.rule("D4")
async def test_a_wire_to_a_node_that_another_removed_is_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        drawn = [ada.add("a"), ada.add("b")]
        for update in drawn:
            await room.apply_update(h.ada, update)
        bob.apply(*drawn)
        wire, removal = bob.wire("e", "a", "b"), ada.remove("nodes", "b")
        await asyncio.gather(room.apply_update(h.bob, wire), room.apply_update(h.ada, removal))
        assert room.spell().edges == {}
        for data in h.heard.of("canvas.updates"):
            ada.apply(*data["updates"])
            bob.apply(*data["updates"])
        assert ada.state() == bob.state()
        assert ada.state()["edges"] == {}


@pytest.mark.rule("D4")
async def test_an_edge_that_never_had_its_node_is_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        await room.apply_update(h.ada, tab.wire("e", "a", "nowhere"))
        assert room.spell().edges == {}


@pytest.mark.rule("D3")
async def test_replacing_the_spell_goes_through_the_live_document(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.code("b", "x + 1"))
        h.heard.events.clear()
        wanted = Spell.model_validate(
            {"name": "New", "nodes": {"b": {"type": "code.python", "code": "x + 12"}}}
        )
        await room.replace_spell(h.bob, wanted)
        assert room.spell() == wanted
        (data,) = h.heard.of("canvas.updates")
        tab.apply(*data["updates"])
        assert tab["nodes"]["b"]["code"].to_py() == "x + 12"
        assert await room.replace_spell(h.bob, wanted) == room.seq


@pytest.mark.rule("D3")
async def test_naming_the_spell_undoes_no_edit_on_its_way(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(room.apply_update(h.ada, tab.code("b", "x + 1")))
            tasks.create_task(room.rename(h.bob, "Named"))
            tasks.create_task(room.apply_update(h.ada, tab.add("c")))
        assert room.spell().name == "Named"
        assert set(room.spell().nodes) == {"b", "c"}


async def test_subscribers_hear_of_a_change_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        seen: list[list[str]] = []
        stop = room.subscribe(lambda: seen.append(list(room.spell().nodes)))
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        assert seen == [["a"]]
        stop()
        await room.apply_update(h.ada, tab.add("b"))
        assert seen == [["a"]]


async def test_followers_and_watchers_get_each_commit_as_one_update(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        watched: list[tuple[str, int]] = []
        h.rooms.watch(lambda room, committed: watched.append((room.canvas_id, committed.seq)))
        async with h.rooms.visit(h.canvas) as room:
            followed: list[Committed] = []
            room.follow(broken)
            stop = room.follow(followed.append)
            tab, copy = Tab(), Tab()
            edits = [tab.add("a"), *(tab.put("a", "value", i) for i in range(5))]
            await asyncio.gather(
                *(room.apply_update(h.ada, each, origin="ada's tab") for each in edits)
            )
            await room.rename(None, "Named")
            copy.apply(*(each.update for each in followed))
            assert copy["nodes"].to_py() == tab["nodes"].to_py()
            assert {each.authors for each in followed} == {(h.ada.user_id,), (None,)}
            assert {each.origins for each in followed} == {("ada's tab",), (None,)}
            assert followed[-1].seq == room.seq
            assert watched == [(h.canvas, each.seq) for each in followed]
            stop()
            await room.rename(None, "Named again")
            assert len(watched) == len(followed) + 1


def broken(_committed: Committed) -> None:
    raise RuntimeError("a bug")


@pytest.mark.rule("C11")
async def test_problems_follow_a_change_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a", "no.such"))
        await h.until(lambda: h.heard.of("canvas.problems"))
        (said,) = h.heard.of("canvas.problems")
        assert [problem["code"] for problem in said["problems"]] == ["unknown_node_type"]
        assert room.problems == said["problems"]
        await room.apply_update(
            h.ada, tab.edit(lambda: tab["nodes"]["a"].update({"position": [5.0, 5.0]}))
        )
        await asyncio.sleep(0.1)
        assert len(h.heard.of("canvas.problems")) == 1


@pytest.mark.rule("C13")
async def test_a_room_stays_for_a_grace_and_is_then_freed(tmp_path: Path) -> None:
    async with house(tmp_path, grace=0.1) as h:
        room = await h.rooms.open(h.canvas)
        assert await h.rooms.open(h.canvas) is room
        await h.rooms.release(h.canvas)
        await h.rooms.release(h.canvas)
        assert h.rooms.find(h.canvas) is room
        assert await h.rooms.open(h.canvas) is room
        await h.rooms.release(h.canvas)
        await h.until(lambda: h.rooms.find(h.canvas) is None)
        async with h.rooms.visit(h.canvas) as again:
            assert again is not room


async def test_opening_at_once_loads_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        rooms = await asyncio.gather(*(h.rooms.open(h.canvas) for _ in range(10)))
        assert len(set(rooms)) == 1


@pytest.mark.rule("R6")
async def test_a_stop_writes_what_waits_and_refuses_more(tmp_path: Path, kept_url: str) -> None:
    tab = Tab()
    async with asyncio.TaskGroup() as tasks, house(tmp_path, database_url=kept_url) as h:
        canvas = h.canvas
        room = await h.rooms.open(canvas)
        edits = [tasks.create_task(room.apply_update(h.ada, tab.add(f"n{i}"))) for i in range(5)]
        await asyncio.sleep(0)
    assert max(edit.result() for edit in edits) == room.seq
    with pytest.raises(Unavailable):
        await room.apply_update(h.ada, tab.add("late"))
    async with house(tmp_path, canvas, database_url=kept_url) as h, h.rooms.visit(canvas) as room:
        assert len(room.spell().nodes) == 5
