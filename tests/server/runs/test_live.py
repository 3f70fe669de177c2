"""In live mode a change runs what depends on it, and nothing else."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from spellwork_server.errors import ServerError

from .house import ADA, BOB, FakeRoom, House, Tab, as_spell, house, spell_of, sums, until

pytestmark = pytest.mark.anyio


def changed(spell: dict[str, Any], node: str, **inputs: Any) -> dict[str, Any]:
    spell = copy.deepcopy(spell)
    spell["nodes"][node].setdefault("inputs", {}).update(inputs)
    return spell


async def go_live(
    h: House, spell: dict[str, Any], **roles: Any
) -> tuple[FakeRoom, Tab, dict[str, Any]]:
    room = await h.canvas(spell, **roles)
    tab = await h.tab(ADA, "c1")
    run = await h.call(tab, "runs.create", canvas="c1", mode="live", wait=60)
    return room, tab, run


async def next_run(tab: Tab, count: int) -> dict[str, Any]:
    """Return the last event of the ``count``-th run that ended, when it has."""

    def ends() -> list[dict[str, Any]]:
        return [e for e in tab.events() if e["kind"] in ("run.completed", "run.cancelled")]

    await until(lambda: len(ends()) >= count)
    return ends()[count - 1]


@pytest.mark.rule("G7")
async def test_a_changed_input_runs_only_what_depends_on_it() -> None:
    async with house() as h:
        room, tab, first = await go_live(h, sums())
        assert (first["status"], first["mode"]) == ("completed", "live")
        assert h.gates.calls == {"b": 1, "c": 1, "d": 1}
        room.draw(as_spell(changed(sums(), "a", value=10)))
        end = await next_run(tab, 2)
        assert h.gates.calls == {"b": 2, "c": 2, "d": 1}
        said = {
            e["node"] for e in tab.events() if e["run"] == end["run"] and e["kind"] == "node.done"
        }
        assert said == {"a", "b", "c"}
        run = await h.call(tab, "runs.get", id=end["run"])
        assert run["outputs"] == {
            "a": {"value": 10},
            "b": {"sum": 11},
            "c": {"sum": 12},
            "d": {"sum": 6},
        }
        assert run["hashes"]["d"] == first["hashes"]["d"]
        assert end["data"]["hashes"] == run["hashes"]


@pytest.mark.rule("G7")
async def test_moving_and_naming_nodes_runs_nothing() -> None:
    async with house() as h:
        room, tab, _ = await go_live(h, sums())
        moved = copy.deepcopy(sums())
        moved["nodes"]["a"] |= {"position": [100, 50], "name": "Start"}
        room.draw(as_spell(moved))
        await asyncio.sleep(0.2)
        assert h.gates.calls == {"b": 1, "c": 1, "d": 1}
        assert len({e["run"] for e in tab.events()}) == 1


@pytest.mark.rule("G7")
async def test_many_changes_in_a_moment_are_one_run() -> None:
    async with house() as h:
        room, tab, _ = await go_live(h, sums())
        for value in range(2, 20):
            room.draw(as_spell(changed(sums(), "a", value=value)))
            await asyncio.sleep(0.001)
        end = await next_run(tab, 2)
        assert (await h.call(tab, "runs.get", id=end["run"]))["outputs"]["c"] == {"sum": 21}
        assert h.gates.calls["b"] == 2


@pytest.mark.rule("G7")
async def test_a_change_supersedes_what_is_in_flight() -> None:
    spell = spell_of({"w": {"type": "t.wait", "inputs": {"gate": "slow", "value": 1}}})
    async with house() as h:
        room = await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        first = await h.call(tab, "runs.create", canvas="c1", mode="live")
        await h.gates.arrival("slow").wait()
        h.gates.gate("fast").set()
        room.draw(as_spell(changed(spell, "w", gate="fast", value=2)))
        second = await next_run(tab, 2)
        assert (await h.call(tab, "runs.get", id=first["id"]))["status"] == "cancelled"
        assert (await h.call(tab, "runs.get", id=second["run"]))["outputs"] == {"w": {"value": 2}}


@pytest.mark.rule("G7")
async def test_a_run_that_supersedes_names_what_the_superseded_one_left() -> None:
    spell = spell_of(
        {
            "a": {"type": "t.value", "inputs": {"value": 1}},
            "b": {"type": "t.add"},
            "w": {"type": "t.wait", "inputs": {"gate": "open"}},
        },
        "a.value > b.a",
        "b.sum > w.value",
    )
    async with house() as h:
        h.gates.gate("open").set()
        room, tab, _ = await go_live(h, spell)
        slow = changed(changed(spell, "a", value=10), "w", gate="slow")
        room.draw(as_spell(slow))
        await h.gates.arrival("slow").wait()
        room.draw(as_spell(changed(slow, "w", gate="open")))
        end = await next_run(tab, 3)
        run = await h.call(tab, "runs.get", id=end["run"])
        assert h.gates.calls["b"] == 2
        assert run["outputs"] == {"a": {"value": 10}, "b": {"sum": 11}, "w": {"value": 11}}


@pytest.mark.rule("G7")
async def test_pause_leaves_live_mode_and_play_enters_it_again() -> None:
    async with house() as h:
        room, tab, _ = await go_live(h, sums(), bob="viewer")
        bob = await h.tab(BOB, "c1")
        assert (await bob.manager.open("c1")).live_users == ["ada"]
        assert (await h.call(tab, "runs.pause", canvas="c1")) == {"run": None, "live": False}
        room.draw(as_spell(changed(sums(), "a", value=10)))
        await asyncio.sleep(0.15)
        assert h.gates.calls["b"] == 1
        assert not h.runners.is_live("ada", "c1")
        again = await h.call(tab, "runs.play", canvas="c1")
        assert again["live"] is True
        await next_run(tab, 2)
        assert h.gates.calls["b"] == 2
        assert (await tab.manager.open("c1")).live is True
        assert [data["live"] for data in bob.named("canvas.live")] == [False, True]


@pytest.mark.rule("G17")
async def test_a_spell_that_does_not_compile_for_a_while_runs_again_when_it_does() -> None:
    async with house() as h:
        room, tab, _ = await go_live(h, sums())
        broken = copy.deepcopy(sums())
        broken["edges"]["e9"] = {"source": "c", "output": "sum", "target": "b", "input": "b"}
        room.draw(as_spell(broken))
        await until(lambda: bool(tab.named("canvas.live")[-1].get("error")))
        said = tab.named("canvas.live")[-1]
        assert said["live"] is True
        assert said["error"]["code"] == "cycle"
        assert said["error"]["node"] == "b"
        assert h.runners.is_live("ada", "c1")
        later = await h.tab(ADA, "c1")
        notice = (await later.manager.open("c1")).live_notice
        assert notice == {"error": said["error"], "waiting": None}
        assert (await tab.manager.open("c1")).live_notice == notice
        room.draw(as_spell(changed(sums(), "d", a=7)))
        end = await next_run(tab, 2)
        await until(lambda: tab.named("canvas.live")[-1]["error"] is None)
        assert (await tab.manager.open("c1")).live_notice is None
        assert (await h.call(tab, "runs.get", id=end["run"]))["outputs"]["d"] == {"sum": 8}
        assert h.gates.calls == {"b": 1, "c": 1, "d": 2}


@pytest.mark.rule("G7")
async def test_who_may_not_run_any_more_is_live_no_more() -> None:
    async with house() as h:
        room = await h.canvas(sums(), bob="runner")
        bob = await h.tab(BOB, "c1")
        await h.call(bob, "runs.create", canvas="c1", mode="live", wait=60)
        h.members["c1"]["bob"] = "viewer"
        room.draw(as_spell(changed(sums(), "a", value=10)))
        await until(lambda: not h.runners.is_live("bob", "c1"))
        assert h.gates.calls["b"] == 1


@pytest.mark.rule("G7")
async def test_live_mode_ends_with_the_last_tab() -> None:
    async with house(grace=0.02) as h:
        room, tab, _ = await go_live(h, sums())
        await h.managers.gone(tab)
        await until(lambda: len(h.runners) == 0)
        assert room.subscribers == {}


TWO_WAITS = {
    "w": {"type": "t.wait", "inputs": {"gate": "slow", "value": 1}},
    "x": {"type": "t.wait", "inputs": {"gate": "other", "value": 2}},
}


@pytest.mark.rule("G7")
async def test_what_a_change_does_not_reach_goes_on_in_the_run_that_follows() -> None:
    spell = spell_of(TWO_WAITS)
    async with house() as h:
        room = await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        first = await h.call(tab, "runs.create", canvas="c1", mode="live")
        await h.gates.arrival("slow").wait()
        await h.gates.arrival("other").wait()
        room.draw(as_spell(changed(spell, "w", gate="fast", value=5)))
        await h.gates.arrival("fast").wait()
        ended = await h.call(tab, "runs.get", id=first["id"])
        assert ended["status"] == "cancelled"
        h.gates.gate("fast").set()
        h.gates.gate("other").set()
        second = await next_run(tab, 2)
        run = await h.call(tab, "runs.get", id=second["run"])
        assert run["outputs"] == {"w": {"value": 5}, "x": {"value": 2}}
        assert h.gates.calls == {"w": 2, "x": 1}
        kinds = [
            e["kind"] for e in tab.events() if e["run"] == second["run"] and e.get("node") == "x"
        ]
        assert kinds == ["node.started", "node.done"]


@pytest.mark.rule("G7")
async def test_a_run_of_something_else_takes_the_place_of_the_live_one_and_live_goes_on_from_it() -> (
    None
):
    async with house() as h:
        room, tab, _ = await go_live(h, sums())
        again = await h.call(tab, "runs.create", canvas="c1", scope=["d"], wait=60)
        assert again["status"] == "completed"
        room.draw(as_spell(changed(sums(), "a", value=10)))
        end = await next_run(tab, 3)
        run = await h.call(tab, "runs.get", id=end["run"])
        assert run["outputs"]["c"] == {"sum": 12}
        assert set(run["outputs"]) == {"a", "b", "c", "d"}


@pytest.mark.rule("G7", "G6")
async def test_a_live_run_is_cancelled_and_what_it_left_open_joins_the_next() -> None:
    spell = spell_of(TWO_WAITS)
    async with house() as h:
        room = await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        first = await h.call(tab, "runs.create", canvas="c1", mode="live")
        await h.gates.arrival("slow").wait()
        assert (await h.call(tab, "runs.cancel", id=first["id"]))["status"] == "cancelled"
        h.gates.gate("slow").set()
        h.gates.gate("other").set()
        room.draw(as_spell(changed(spell, "w", value=3)))
        end = await next_run(tab, 2)
        run = await h.call(tab, "runs.get", id=end["run"])
        assert run["outputs"] == {"w": {"value": 3}, "x": {"value": 2}}


@pytest.mark.rule("G18")
@pytest.mark.parametrize("mode", ["once", "live"])
async def test_a_paused_run_goes_on_by_single_nodes(mode: str) -> None:
    spell = spell_of(
        {
            "w": {"type": "t.wait", "inputs": {"gate": "first", "value": 1}},
            "b": {"type": "t.add"},
            "c": {"type": "t.add"},
        },
        "w.value > b.a",
        "b.sum > c.a",
    )
    async with house() as h:
        await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1", mode=mode)
        await h.gates.arrival("first").wait()
        with pytest.raises(ServerError) as refused:
            await h.call(tab, "runs.step", id=run["id"])
        assert refused.value.code == "run_not_paused"
        await h.call(tab, "runs.pause", id=run["id"])
        h.gates.gate("first").set()
        await until(lambda: "w" in done(tab))
        assert done(tab) == ["w"]
        assert (await h.call(tab, "runs.step", id=run["id"]))["run"]["status"] == "paused"
        await until(lambda: "b" in done(tab))
        assert h.gates.calls == {"w": 1, "b": 1}
        await h.call(tab, "runs.play", id=run["id"])
        await until(lambda: done(tab) == ["w", "b", "c"])


@pytest.mark.rule("G7")
async def test_a_change_while_paused_runs_when_it_is_played() -> None:
    spell = spell_of(TWO_WAITS)
    async with house() as h:
        room = await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        first = await h.call(tab, "runs.create", canvas="c1", mode="live")
        await h.gates.arrival("slow").wait()
        await h.call(tab, "runs.pause", id=first["id"])
        room.draw(as_spell(changed(spell, "w", gate="fast", value=5)))
        await until(lambda: len(started(tab)) == 2)
        second = started(tab)[1]["run"]
        await until(lambda: tab.named("run.status")[-1]["run"] == second)
        assert tab.named("run.status")[-1]["status"] == "paused"
        assert h.gates.calls["w"] == 1
        h.gates.gate("fast").set()
        h.gates.gate("other").set()
        await h.call(tab, "runs.play", id=second)
        await next_run(tab, 2)
        run = await h.call(tab, "runs.get", id=second)
        assert run["outputs"] == {"w": {"value": 5}, "x": {"value": 2}}


def started(tab: Tab) -> list[dict[str, Any]]:
    return [e for e in tab.events() if e["kind"] == "run.started"]


def done(tab: Tab) -> list[str]:
    return [e["node"] for e in tab.events() if e["kind"] == "node.done"]


@pytest.mark.rule("G19")
async def test_drafts_of_inputs_are_tried_in_live_mode_and_leave_nothing() -> None:
    spell = spell_of(
        {"d": {"type": "t.double", "inputs": {"value": 2}}, "b": {"type": "t.add"}}, "d.value > b.a"
    )
    async with house() as h:
        await h.canvas(spell, bob="viewer")
        tab, bob = await h.tab(ADA, "c1"), await h.tab(BOB, "c1")
        drafts = {"canvas": "c1", "inputs": {"d.value": 21}}
        with pytest.raises(ServerError) as refused:
            await h.call(tab, "runs.preview", **drafts)
        assert refused.value.code == "not_live"
        run = await h.call(tab, "runs.create", canvas="c1", mode="live", wait=60)
        count = len(tab.events())
        assert await h.call(tab, "runs.preview", **drafts) == {"outputs": {"d": {"value": 42}}}
        assert len(tab.events()) == count
        assert (await h.call(tab, "runs.get", id=run["id"]))["outputs"]["d"] == {"value": 4}
        with pytest.raises(ServerError) as refused:
            await h.call(tab, "runs.preview", canvas="c1", inputs={"nobody": 1})
        assert refused.value.status == 400
        with pytest.raises(ServerError) as refused:
            await h.call(bob, "runs.preview", **drafts)
        assert refused.value.status == 403
