"""How far runs are: counted as their events are told, here and for other processes."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork import Event
from spellwork_server.runs.progress_keeper import ProgressKeeper
from spellwork_server.runs.tally import Tally
from spellwork_server.storage.run_progress import ProgressRecords

from .house import ADA, House, house, spell_of

pytestmark = pytest.mark.anyio

LINE = spell_of(
    {
        "a": {"type": "t.value", "inputs": {"value": 1}},
        "b": {"type": "t.add"},
        "f": {"type": "t.fail", "inputs": {"message": "no"}},
        "s": {"type": "t.double"},
        "w": {"type": "t.wait", "inputs": {"gate": "g"}},
    },
    "a.value > b.a",
    "f.value > s.value",
    "b.sum > w.value",
)


async def progress(h: House, run: str) -> Any:
    (listed,) = (await h.call(ADA, "runs.find", canvas="c1"))["items"]
    read = (await h.call(ADA, "runs.get", id=run))["progress"]
    assert listed["progress"] == read
    return read


@pytest.mark.rule("V8")
async def test_a_run_tells_how_many_of_its_nodes_ended_while_it_goes_on() -> None:
    async with house() as h:
        await h.canvas(LINE)
        run = (await h.call(ADA, "runs.create", canvas="c1"))["id"]
        await h.gates.arrival("g").wait()
        known = {"ended": 4, "total": 5, "node": None, "value": None, "message": None}
        assert await progress(h, run) == known
        h.gates.gate("g").set()
        await h.ended(run)
        assert await progress(h, run) is None


@pytest.mark.rule("V8")
async def test_what_others_are_told_is_written_of_runs_that_last_while_they_are_claimed() -> None:
    async with house() as h:
        await h.canvas(LINE)
        run = (await h.call(ADA, "runs.create", canvas="c1"))["id"]
        await h.gates.arrival("g").wait()
        kept = ProgressRecords(h.database)
        keeper = ProgressKeeper(h.runners.open_runs, h.commits)
        await keeper.look()
        assert await kept.of([run]) == {}
        await keeper.look()
        assert (await kept.of([run]))[run]["ended"] == 4
        going = h.runners.find(run)
        assert going is not None
        going.tally.take(Event("node.progress", 0.0, "w", value=0.5, message="half"))
        await keeper.look()
        assert (await kept.of([run]))[run]["node"] == "w"
        going.fence += 1
        going.tally.take(Event("node.progress", 0.0, "w", value=0.7))
        await keeper.look()
        await keeper.look()
        assert (await kept.of([run]))[run]["value"] == 0.5
        going.fence -= 1
        h.gates.gate("g").set()
        await h.ended(run)


def test_a_run_that_goes_on_counts_what_it_kept_and_nothing_inside_its_nodes() -> None:
    tally = Tally()
    assert tally.progress() is None
    nodes = ["a", "b", "c"]
    tally.take(Event("run.resumed", 0.0, data={"nodes": nodes, "kept": ["a"]}))
    for node in ("b/x", "b[3]/x"):
        tally.take(Event("node.done", 0.0, node, outputs={}))
    tally.take(Event("node.progress", 0.0, "b", value=0.25, message="1 of 4"))
    tally.take(Event("node.progress", 0.0, "b/x", value=0.9))
    tally.take(Event("node.progress", 0.0, "c", value=None))
    tally.take(Event("node.failed", 0.0, "c", error={}))
    told = tally.progress()
    assert told is not None
    assert told.model_dump() == {
        "ended": 2,
        "total": 3,
        "node": "b",
        "value": 0.25,
        "message": "1 of 4",
    }
