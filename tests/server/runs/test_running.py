"""A run says what it does, in order, and keeps what it left."""

from __future__ import annotations

import asyncio
import time
from itertools import groupby
from typing import Any

import msgspec
import pytest

from spellwork_server.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    SpellRefused,
    TooLarge,
)
from spellwork_server.runs.errors import RunEnded, RunNotFound
from spellwork_server.runs.run_end import RunEnd

from .house import ADA, BOB, EVE, ROOT, house, spell_of, sums, until, waiting

pytestmark = pytest.mark.anyio


@pytest.mark.rule("G2", "E1")
async def test_a_run_of_a_canvas_completes_and_keeps_its_outputs() -> None:
    async with house() as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1", wait=60)
        assert run["status"] == "completed"
        assert run["outputs"] == {
            "a": {"value": 1},
            "b": {"sum": 2},
            "c": {"sum": 3},
            "d": {"sum": 6},
        }
        assert list(run["outputs"]) == run["order"]
        assert run["errors"] == run["skipped"] == {}
        assert run["stream"] == "canvas:c1"
        assert run == await h.call(ADA, "runs.get", id=run["id"])


@pytest.mark.rule("E1", "G2")
async def test_events_are_numbered_without_a_gap_and_end_with_the_hashes_of_all_outputs() -> None:
    async with house() as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1", wait=60)
        events = tab.events()
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert {event["run"] for event in events} == {run["id"]}
        assert events[0]["kind"] == "run.started"
        assert events[0]["data"]["user"] == "ada"
        assert events[-1]["kind"] == "run.completed"
        assert events[-1]["data"]["hashes"] == run["hashes"]
        assert events[-1]["data"]["order"] == run["order"]
        done = {event["node"]: event["outputs"] for event in events if event["kind"] == "node.done"}
        assert done == run["outputs"]


@pytest.mark.rule("E6")
async def test_a_second_tab_of_another_member_sees_a_shared_run() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="viewer")
        ada, bob = await h.tab(ADA, "c1"), await h.tab(BOB, "c1")
        await h.call(ada, "runs.create", canvas="c1", wait=60)
        assert bob.events() == ada.events() != []


@pytest.mark.rule("G5")
async def test_a_private_run_reaches_only_its_owners_tabs() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="editor")
        first, second, bob = await h.tab(ADA, "c1"), await h.tab(ADA, "c1"), await h.tab(BOB, "c1")
        run = await h.call(first, "runs.create", canvas="c1", audience="private", wait=60)
        assert run["stream"] == "canvas:c1:user:ada"
        assert first.events() == second.events() != []
        assert bob.sent == []
        with pytest.raises(RunNotFound):
            await h.call(BOB, "runs.get", id=run["id"])
        with pytest.raises(Forbidden):
            await h.call(bob, "events.resume", stream="canvas:c1:user:ada")
        assert (await h.call(BOB, "runs.find", canvas="c1"))["items"] == []
        assert len((await h.call(ADA, "runs.find", canvas="c1"))["items"]) == 1


async def test_a_spell_that_comes_with_the_request_runs_apart_from_any_canvas() -> None:
    async with house() as h:
        tab = await h.tab(ADA)
        run = await h.call(ADA, "runs.create", spell=sums(), wait=60)
        assert run["outputs"]["c"] == {"sum": 3}
        assert (run["canvas"], run["stream"], run["audience"]) == (None, "user:ada", "private")
        assert tab.events()[-1]["kind"] == "run.completed"
        with pytest.raises(RunNotFound):
            await h.call(BOB, "runs.get", id=run["id"])


async def test_inputs_and_scope_are_those_asked_for() -> None:
    async with house() as h:
        await h.canvas(sums())
        run = await h.call(
            ADA, "runs.create", canvas="c1", inputs={"a.value": 10}, scope=["b"], wait=60
        )
        assert run["outputs"] == {"a": {"value": 10}, "b": {"sum": 11}}
        assert run["scope"] == ["b"]


@pytest.mark.rule("G1")
async def test_a_failure_is_data_and_leaves_other_branches_running() -> None:
    spell = spell_of(
        {
            "bad": {"type": "t.fail", "inputs": {"message": "no luck"}},
            "after": {"type": "t.add"},
            "apart": {"type": "t.add", "inputs": {"a": 1}},
        },
        "bad.value > after.a",
    )
    async with house() as h:
        tab = await h.tab(ADA)
        run = await h.call(ADA, "runs.create", spell=spell, wait=60)
        assert run["status"] == "completed"
        assert run["outputs"] == {"apart": {"sum": 2}}
        assert run["errors"]["bad"]["code"] == "asked_to"
        assert run["errors"]["bad"]["message"] == "no luck"
        assert run["errors"]["bad"]["port"] == "message"
        assert "bad" in run["skipped"]["after"]
        failed = next(event for event in tab.events() if event["kind"] == "node.failed")
        assert failed["error"]["message"] == "no luck"
        assert tab.events()[-1]["data"]["failed"] == ["bad"]
        assert tab.events()[-1]["data"]["skipped"] == ["after"]


@pytest.mark.rule("G1")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "bad_request"),
        ({"canvas": "c1", "spell": sums()}, "bad_request"),
        ({"spell": sums(), "mode": "live"}, "bad_request"),
        ({"spell": sums(), "nonsense": 1}, "bad_request"),
        ({"canvas": "c1", "on_busy": "sometimes"}, "bad_request"),
        ({"canvas": "c1", "wait": 1e9}, "bad_request"),
        ({"spell": spell_of({"x": {"type": "t.none"}})}, "unknown_node_type"),
        ({"spell": sums(), "inputs": {"nope.value": 1}}, "invalid_input"),
        ({"spell": sums(), "scope": ["nope"]}, "invalid_input"),
        (
            {
                "spell": spell_of(
                    {"x": {"type": "t.add"}, "y": {"type": "t.add"}}, "x.sum > y.a", "y.sum > x.a"
                )
            },
            "cycle",
        ),
        ({"spell": spell_of({f"n{i}": {"type": "t.value"} for i in range(1_001)})}, "too_large"),
    ],
)
async def test_what_cannot_run_is_refused_with_a_code_and_nothing_is_kept(
    request_: dict, code: str
) -> None:
    async with house() as h:
        await h.canvas(sums())
        with pytest.raises((BadRequest, SpellRefused, TooLarge)) as refusal:
            await h.call(ADA, "runs.create", **request_)
        assert refusal.value.code == code
        assert (await h.call(ADA, "runs.find"))["items"] == []


async def test_a_cycle_is_refused_with_its_path() -> None:
    spell = spell_of({"x": {"type": "t.add"}, "y": {"type": "t.add"}}, "x.sum > y.a", "y.sum > x.a")
    async with house() as h:
        with pytest.raises(SpellRefused) as refusal:
            await h.call(ADA, "runs.create", spell=spell)
        assert refusal.value.status == 422
        assert set(refusal.value.details["problems"][0]["details"]["path"]) == {"x", "y"}


async def test_only_members_who_may_run_can_run() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="viewer")
        with pytest.raises(NotFound):
            await h.call(ADA, "runs.create", canvas="nowhere")
        for who in (BOB, EVE):
            with pytest.raises(Forbidden):
                await h.call(who, "runs.create", canvas="c1")
        assert (await h.call(ROOT, "runs.create", canvas="c1", wait=60))["status"] == "completed"


@pytest.mark.rule("G6")
async def test_cancel_ends_a_run_at_once() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        assert run["status"] == "running"
        await h.gates.arrival("g").wait()
        began = time.monotonic()
        ended = await h.call(tab, "runs.cancel", id=run["id"])
        assert time.monotonic() - began < 20, "its node waits for ever"
        assert ended["status"] == "cancelled"
        assert tab.events()[-1]["kind"] == "run.cancelled"
        assert (await h.call(tab, "runs.cancel", id=run["id"]))["status"] == "cancelled"
        with pytest.raises(RunEnded):
            await h.call(tab, "runs.pause", id=run["id"])


async def test_others_may_steer_a_shared_run_only_with_a_role_that_may_run() -> None:
    async with house() as h:
        await h.canvas(waiting(), bob="runner", eve="viewer")
        run = await h.call(ADA, "runs.create", canvas="c1")
        with pytest.raises(Forbidden):
            await h.call(EVE, "runs.cancel", id=run["id"])
        assert (await h.call(BOB, "runs.cancel", id=run["id"]))["status"] == "cancelled"


@pytest.mark.rule("G6")
async def test_a_paused_run_starts_no_further_node_until_it_is_played() -> None:
    spell = spell_of(
        {"w": {"type": "t.wait", "inputs": {"gate": "g", "value": 1}}, "x": {"type": "t.add"}},
        "w.value > x.a",
    )
    async with house() as h:
        await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        await h.gates.arrival("g").wait()
        paused = await h.call(tab, "runs.pause", id=run["id"])
        assert paused["run"]["status"] == "paused"
        h.gates.gate("g").set()
        await until(lambda: any(e["kind"] == "node.done" for e in tab.events()))
        await asyncio.sleep(0.02)
        assert "x" not in h.gates.calls
        await h.call(tab, "runs.play", id=run["id"])
        ended = await h.ended(run["id"])
        assert ended["outputs"]["x"] == {"sum": 2}
        said = [data["status"] for data in tab.named("run.status")]
        # told again where the pause came before the run's first event, which says that it goes on
        assert [status for status, _ in groupby(said)] == ["paused", "running"]


@pytest.mark.rule("Q14")
async def test_whether_a_run_is_paused_is_kept_for_those_who_ask_another_process() -> None:
    async with house() as h:
        await h.canvas(waiting())

        async def kept(status: str) -> None:
            async with asyncio.timeout(30):
                while (await h.call(ROOT, "runs.find", canvas="c1", status=[status]))[
                    "items"
                ] == []:
                    await asyncio.sleep(0.002)

        run = await h.call(ADA, "runs.create", canvas="c1")
        await h.call(ADA, "runs.pause", id=run["id"])
        await kept("paused")
        await h.call(ADA, "runs.play", id=run["id"])
        await kept("running")
        await h.call(ADA, "runs.pause", id=run["id"])
        await h.call(ADA, "runs.cancel", id=run["id"])
        await kept("cancelled")


@pytest.mark.rule("Q14")
async def test_a_run_that_waits_its_turn_is_paused_for_those_who_ask_another_process() -> None:
    async with house(process="here") as h:
        await h.canvas(waiting())
        first = await h.call(ADA, "runs.create", canvas="c1")
        second = await h.call(ADA, "runs.create", canvas="c1", on_busy="queue")

        async def kept(status: str) -> None:
            async with asyncio.timeout(30):
                while True:
                    record = await h.records.get(second["id"])
                    if record is not None and record.status == status:
                        return
                    await asyncio.sleep(0.002)

        await h.call(ADA, "runs.pause", id=second["id"])
        await kept("paused")
        with pytest.raises(Conflict, match="has not begun; play it first"):
            await h.call(ADA, "runs.step", id=second["id"])
        await h.call(ADA, "runs.play", id=second["id"])
        await kept("queued")
        h.gates.gate("g").set()
        for run in (first, second):
            assert (await h.ended(run["id"]))["outputs"] == {"w": {"value": 7}}


async def test_waiting_gives_up_in_time_and_the_run_goes_on() -> None:
    async with house() as h:
        await h.canvas(waiting())
        run = await h.call(ADA, "runs.create", canvas="c1", wait=0.05)
        assert run["status"] == "running"
        h.gates.gate("g").set()
        assert (await h.call(ADA, "runs.get", id=run["id"], wait=60))["outputs"] == {
            "w": {"value": 7}
        }


@pytest.mark.rule("G10")
async def test_a_run_that_is_removed_leaves_numbers_without_gaps() -> None:
    async with house() as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        first = await h.call(tab, "runs.create", canvas="c1", wait=60)
        second = await h.call(tab, "runs.create", canvas="c1", wait=60)
        await h.call(tab, "runs.remove", id=first["id"])
        with pytest.raises(RunNotFound):
            await h.call(tab, "runs.get", id=first["id"])
        page = await h.call(tab, "events.resume", stream="canvas:c1")
        assert [event["seq"] for event in page["events"]] == list(range(1, page["seq"] + 1))
        removed = [event for event in page["events"] if event["run"] == first["id"]]
        assert {event["kind"] for event in removed} == {"run.removed"}
        assert page["events"][-1]["run"] == second["id"]


async def test_a_failure_whose_text_is_no_unicode_is_told_all_the_same() -> None:
    half = "half a pair: \ud83d"
    async with house() as h:
        spell = spell_of({"f": {"type": "t.fail", "inputs": {"message": half}}})
        run = await h.call(ADA, "runs.create", spell=spell, wait=60)
        assert run["status"] == "completed"
        assert run["errors"]["f"]["message"] == "half a pair: \\ud83d"
        assert msgspec.json.encode(run["errors"])


@pytest.mark.rule("G2")
async def test_a_run_whose_end_cannot_be_told_in_full_still_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    summary = RunEnd.summary

    def broken(self: RunEnd) -> dict[str, Any]:
        if self.result is not None:
            raise RuntimeError("a bug")
        return summary(self)

    monkeypatch.setattr(RunEnd, "summary", broken)
    async with house() as h:
        tab = await h.tab(ADA)
        run = await h.call(tab, "runs.create", spell=sums(), wait=60)
        assert (run["status"], run["error"]["code"]) == ("failed", "internal")
        assert tab.events()[-1]["kind"] == "run.failed"
        assert "could not be told in full" in caplog.text
        assert (await h.call(tab, "runs.create", spell=waiting()))["status"] == "running"
