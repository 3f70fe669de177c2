"""The Python client speaks the server's protocol: same results, same refusals, nothing lost."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from spellwork_client import (
    BadRequest,
    Client,
    ConnectionLost,
    Event,
    NotFound,
    Refused,
    RunStopped,
    SpellRefused,
    Unauthenticated,
    follow,
)
from tests.server_process import ServerProcess, free_port
from tests.wire_cutter import WireCutter

from .conftest import EMAIL, PASSWORD
from .spells import CYCLE, FAILING, HELLO, chain

pytestmark = pytest.mark.anyio


async def test_a_spell_runs_and_gives_its_outputs(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        result = await client.run(HELLO)
    assert result.status == "completed"
    assert result.outputs is not None
    assert result.outputs["b"]["result"] == 42


async def test_inputs_replace_what_is_typed_into_a_node(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        result = await client.run(HELLO, {"a.value": 3})
    assert result.outputs is not None
    assert result.outputs["b"]["result"] == 63


@pytest.mark.rule("G13")
async def test_only_some_nodes_run_on_what_the_last_run_left(
    server: ServerProcess, key: str
) -> None:
    spell = chain(3, 0)
    spell["nodes"]["n0"]["inputs"]["value"] = "of no run before"
    async with Client(server.url, token=key) as client:
        with pytest.raises(BadRequest) as caught:
            await client.runs.create(spell=spell, scope=["n1"], reach="only")
        assert caught.value.code == "no_value"


@pytest.mark.rule("G14")
async def test_a_run_over_its_time_is_stopped(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        with pytest.raises(RunStopped):
            await client.run(chain(2, 30), timeout=0.05)


async def test_email_and_password_sign_in(server: ServerProcess) -> None:
    async with Client(server.url, email=EMAIL, password=PASSWORD) as client:
        assert (await client.run(HELLO)).status == "completed"


async def test_a_failed_node_is_data_and_the_rest_runs(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        result = await client.run(FAILING)
    assert result.errors is not None
    assert result.outputs is not None
    assert "no more ink" in result.errors["bad"]["message"]
    assert result.outputs["good"]["value"] == "still here"


async def test_events_tell_a_run_from_start_to_end_in_order(
    server: ServerProcess, key: str
) -> None:
    async with Client(server.url, token=key) as client:
        run = await client.runs.create(spell=HELLO)
        events = [event async for event in run.events()]
        again = [event async for event in run.events()]
    assert events[0].kind == "run.started"
    assert events[-1].kind == "run.completed"
    assert {event.node for event in events if event.kind == "node.done"} == {"a", "b"}
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert again == events, "a past run is told as it was told live"


async def test_a_large_value_is_fetched_whole(server: ServerProcess, key: str) -> None:
    text = "spell " * 40_000
    spell = {"nodes": {"a": {"type": "core.value", "inputs": {"value": text}}}, "edges": {}}
    async with Client(server.url, token=key) as client:
        result = await client.run(spell)
    assert result.outputs is not None
    assert result.outputs["a"]["value"] == text


async def test_a_lost_connection_loses_and_doubles_no_event(
    server: ServerProcess, key: str
) -> None:
    with WireCutter(server.port) as wire:
        async with Client(wire.url, token=key) as client:
            canvas = await client.canvases.create("Cut", chain(12, 0.1))
            run = await client.runs.create(canvas=canvas.id)
            events: list[Event] = []
            async for event in run.events():
                events.append(event)
                if event.kind == "node.done" and event.node in ("n2", "n6"):
                    wire.cut()
                    wire.mend()
    async with Client(server.url, token=key) as client:
        told = [event async for event in (await client.runs.get(run.id)).events()]
    assert events == told
    done = [event.node for event in events if event.kind == "node.done"]
    assert done == [f"n{i}" for i in range(12)]


async def test_runs_follow_each_other_on_one_stream_without_mixing(
    server: ServerProcess, key: str
) -> None:
    async with Client(server.url, token=key) as client:
        for _ in range(3):
            run = await client.runs.create(spell=HELLO)
            events = [event async for event in run.events()]
            assert {event.run for event in events} == {run.id}


async def test_a_cancelled_run_is_stopped_not_finished(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        run = await client.runs.create(spell=chain(3, 30))
        await run.cancel()
        with pytest.raises(RunStopped) as stopped:
            await run.wait()
    assert stopped.value.status == "cancelled"


async def test_whoever_waits_for_a_run_learns_that_its_canvas_is_gone(
    server: ServerProcess, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "QUIET", 0.1)
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("Going", chain(2, 60))
        run = await client.runs.create(canvas=canvas.id)
        async for event in run.events():
            if event.kind == "node.started":
                await client.canvases.remove(canvas.id)
                break
        with pytest.raises(NotFound):
            async with asyncio.timeout(60):
                await run.wait()


async def test_a_run_outlasts_a_silence(
    server: ServerProcess, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "QUIET", 0.05)
    async with Client(server.url, token=key) as client:
        run = await client.runs.create(spell=chain(2, 0.3))
        events = [event async for event in run.events()]
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert events[-1].kind == "run.completed"


async def test_canvases_are_made_shared_renamed_and_removed(
    server: ServerProcess, key: str
) -> None:
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("First", HELLO)
        assert (await client.canvases.spell(canvas.id))["nodes"]["b"]["code"] == "x * 21"
        await client.canvases.replace_spell(canvas.id, FAILING)
        assert set((await client.canvases.spell(canvas.id))["nodes"]) == {"bad", "good"}
        changed = await client.canvases.change_spell(canvas.id, {"nodes": {"bad": None}})
        assert set(changed["nodes"]) == {"good"}
        assert (await client.canvases.rename(canvas.id, "Second")).name == "Second"
        assert canvas.id in {each.id for each in await client.canvases.find()}
        await client.canvases.remove(canvas.id)
        with pytest.raises(NotFound):
            await client.canvases.get(canvas.id)


VALUES = {
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 2}},
        "t": {"type": "core.template", "inputs": {"template": "have {value}"}},
    },
    "edges": {},
}


@pytest.mark.rule("G7", "G18", "G19")
async def test_live_mode_previews_and_single_steps(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("Live", VALUES)
        with pytest.raises(Refused) as caught:
            await client.runs.preview(canvas.id, {"a.value": 3})
        assert caught.value.code == "not_live"
        first = await client.runs.play(canvas.id)
        ended = await first.wait()
        assert (ended.mode, ended.outputs and ended.outputs["a"]) == ("live", {"value": 2})
        drafted = await client.runs.preview(canvas.id, {"a.value": 3})
        assert drafted["a"] == {"value": 3}
        await client.runs.pause(canvas.id)
        slow = await client.canvases.create("Slow", chain(3, 60))
        run = await client.runs.create(canvas=slow.id)
        await run.pause()
        await run.step()
        assert (await run.refresh()).status == "paused"
        await run.cancel()


@pytest.mark.rule("T2", "T3")
async def test_wires_are_suggested_and_old_nodes_brought_up(
    server: ServerProcess, key: str
) -> None:
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("Wires", VALUES)
        wires = await client.canvases.suggest(canvas.id, "t", "a")
        assert [(each["source"], each["target"]) for each in wires] == [("a", "t")]
        assert await client.canvases.upgrade(canvas.id) == {"upgraded": [], "failed": []}
        assert (await client.canvases.upgrade(canvas.id, ["a"]))["failed"] == []


@pytest.mark.rule("H4", "H5", "H8")
async def test_versions_are_saved_compared_and_restored(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("Versions", VALUES)
        saved = await client.versions.create(canvas.id, "first")
        await client.canvases.change_spell(canvas.id, {"nodes": {"t": None}})
        assert len(await client.versions.compare(canvas.id, saved.id)) == 1
        before, after = await client.versions.restore(canvas.id, saved.id)
        assert set((await client.canvases.spell(canvas.id))["nodes"]) == {"a", "t"}
        await client.versions.restore(canvas.id, before.id)
        assert set((await client.canvases.spell(canvas.id))["nodes"]) == {"a"}
        assert after.number > before.number
        named = await client.versions.find(canvas.id, named=True)
        assert [(each.id, each.name) for each in named] == [(saved.id, "first")]
        whole = await client.versions.get(canvas.id, saved.id)
        assert whole.spell is not None
        assert set(whole.spell["nodes"]) == {"a", "t"}
        assert (await client.versions.rename(canvas.id, saved.id, None)).name is None


async def test_what_is_drawn_on_a_canvas_runs(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("Drawn", HELLO)
        result = await client.run_canvas(canvas.id)
        assert result.outputs is not None
        assert result.outputs["b"]["result"] == 42
        assert [each.id for each in await client.runs.find(canvas.id)] == [result.id]


async def test_a_cycle_is_refused_by_its_path(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        with pytest.raises(SpellRefused) as refusal:
            await client.run(CYCLE)
    assert refusal.value.code == "cycle"
    assert {"a", "b"} <= set(refusal.value.problems[0]["details"]["path"])


async def test_an_unknown_field_is_refused_by_name(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        with pytest.raises(BadRequest) as refusal:
            await client.request("runs.create", {"spell": HELLO, "colour": "red"})
    assert [each["field"] for each in refusal.value.fields] == ["colour"]


@pytest.mark.parametrize("token", ["rubbish", "sw_" + "0" * 40])
async def test_a_wrong_token_is_refused_at_the_door(server: ServerProcess, token: str) -> None:
    with pytest.raises(Unauthenticated):
        async with Client(server.url, token=token):
            pass


async def test_a_wrong_password_is_refused_at_the_door(server: ServerProcess) -> None:
    with pytest.raises(Unauthenticated):
        async with Client(server.url, email=EMAIL, password="wrong"):
            pass


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(ConnectionLost):
        async with Client(f"http://127.0.0.1:{free_port()}", token="any"):
            pass


async def test_sequence_numbers_of_a_stream_have_no_gap(server: ServerProcess, key: str) -> None:
    async with Client(server.url, token=key) as client:
        canvas = await client.canvases.create("Count", HELLO)
        run = await client.runs.create(canvas=canvas.id)
        seqs = [event.seq async for event in run.events()]
    assert all(later == earlier + 1 for earlier, later in itertools.pairwise(seqs))


def test_a_client_takes_one_kind_of_credentials() -> None:
    with pytest.raises(TypeError, match="either token="):
        Client("http://127.0.0.1:1", token="x", email="y", password="z")
