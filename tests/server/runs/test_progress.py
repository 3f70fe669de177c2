"""How far runs are: counted when it is asked for, here and for other processes."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork import Event
from spellwork_server.runs.progress import progress_of
from spellwork_server.runs.progress_keeper import ProgressKeeper
from spellwork_server.storage.run_progress import ProgressRecords, write_progress

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
        going._sink(Event("node.progress", 0.0, "w", value=0.5, message="half"))
        await keeper.look()
        assert (await kept.of([run]))[run]["node"] == "w"
        going.fence += 1
        going._sink(Event("node.progress", 0.0, "w", value=0.7))
        await keeper.look()
        await keeper.look()
        assert (await kept.of([run]))[run]["value"] == 0.5
        going.fence -= 1
        h.gates.gate("g").set()
        await h.ended(run)
        assert await kept.of([run]) == {}
        async with h.database.write() as conn:  # a look that was late
            await write_progress(conn, {(run, going.fence): {"ended": 5, "total": 5}})
        assert await kept.of([run]) == {}


def test_what_a_node_says_is_told_while_it_is_under_way_and_nothing_of_what_it_runs_inside() -> (
    None
):
    nodes = ["a", "b", "c"]
    for node, told in (("c", "c"), ("a", None), ("b", None), ("c/x", None), ("c[3]/x", None)):
        said = Event("node.progress", 0.0, node, value=0.25, message="m" * 500)
        progress = progress_of(nodes, {"a": {}, "a/x": {}}, {"b"}, said)
        assert (progress.ended, progress.total, progress.node) == (2, 3, told)
        assert (progress.value, len(progress.message or "")) == ((0.25, 200) if told else (None, 0))


def test_what_a_node_says_can_be_told_and_nodes_that_ended_before_a_resume_count() -> None:
    said = Event("node.progress", 0.0, "b", message="half \ud83d")
    progress = progress_of(["a", "b", "k"], {"a": {}}, (), said, {"k"})
    assert (progress.ended, progress.message) == (2, "half ?")
    assert progress.model_dump_json()
    assert progress_of(["k"], {}, (), Event("node.progress", 0.0, "k"), {"k"}).node is None
