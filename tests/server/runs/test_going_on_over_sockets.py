"""Going on with a run, and forking one, over a real socket: answers, refusals and events as a tab gets them."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spellwork import Context, Library, Pack, node
from tests.server.services.house import Caller, House, house

from .house import spell_of, until
from .test_transports import Tab, make_canvas, tab

pytestmark = pytest.mark.anyio

CALLS: Counter[str] = Counter()

GATE = asyncio.Event()


@node("gated.add", title="Add", output="sum", cache="none")
async def add(ctx: Context, a: float) -> float:
    """Add one, and count the call."""
    CALLS[ctx.node_id] += 1
    return a + 1


@node("gated.wait", title="Wait", output="value", cache="none")
async def wait(ctx: Context, value: Any) -> Any:
    """Give a value once the gate is open."""
    CALLS[ctx.node_id] += 1
    await GATE.wait()
    return value


SPELL = spell_of(
    {
        "a": {"type": "core.value", "inputs": {"value": 1}},
        "b": {"type": "gated.add"},
        "w": {"type": "gated.wait"},
        "c": {"type": "gated.add"},
    },
    "a.value > b.a",
    "b.sum > w.value",
    "w.value > c.a",
)
"""b = a + 1; w waits, and gives b; c = w + 1."""


@pytest.fixture(autouse=True)
def _gated(monkeypatch: pytest.MonkeyPatch) -> None:
    CALLS.clear()
    GATE.clear()
    pack = Pack(name="gated", version="1", title="Gated", nodes=(add, wait))
    library = Library.installed().extended([pack], {})
    monkeypatch.setattr(Library, "installed", lambda: library)


def outputs(a: int) -> dict[str, Any]:
    return {"a": {"value": a}, "b": {"sum": a + 1}, "w": {"value": a + 1}, "c": {"sum": a + 2}}


def again(h: House, who: Caller) -> Caller:
    """The same person, at a server that was started again."""
    caller = h.stranger()
    caller.user, caller.token = who.user, who.token
    return caller


async def interrupted(folder: Path) -> tuple[Caller, Caller, str, str]:
    """Start a run and stop the server in its midst; return Ada, Bob who may look on, the canvas and the run."""
    async with house(folder) as h:
        ada, bob = await h.person("ada"), await h.person("bob")
        canvas = await make_canvas(ada, SPELL)
        member = {"email": "bob@example.org", "role": "viewer"}
        assert (await ada.put(f"/v1/canvases/{canvas}/members", member)).status == 200
        run = (await ada.post("/v1/runs", {"canvas": canvas})).body["id"]
        await until(lambda: CALLS["w"] == 1)
    return ada, bob, canvas, run


def told(each: Tab, run: str) -> list[str]:
    return [event["kind"] for event in each.events if event["run"] == run]


@pytest.mark.rule("B4", "B2")
async def test_an_interrupted_run_is_resumed_over_a_socket(tmp_path: Path) -> None:
    ada, bob, canvas, run = await interrupted(tmp_path)
    async with (
        house(tmp_path) as h,
        tab(h, again(h, ada), canvas) as mine,
        tab(h, again(h, bob), canvas) as his,
    ):
        for each in (mine, his):
            assert [(r["id"], r["status"]) for r in each.opened["runs"]] == [(run, "interrupted")]
        refused = await his.ask("runs.resume", id=run)
        assert (refused["ok"], refused["error"]["code"]) == (False, "forbidden")
        resumed = await mine.ask("runs.resume", id=run)
        assert (resumed["ok"], resumed["id"], resumed["status"]) == (True, run, "running")
        busy = await mine.ask("runs.resume", id=run)
        assert (busy["ok"], busy["error"]["code"]) == (False, "run_open")
        GATE.set()
        await until(lambda: mine.last(run) and his.last(run))
        assert mine.events == his.events
        first = mine.opened["streams"][f"canvas:{canvas}"] + 1
        numbers = [event["seq"] for event in mine.events]
        assert numbers == list(range(first, first + len(numbers)))
        kinds = told(mine, run)
        assert (kinds[0], kinds.count("run.started"), kinds[-1]) == (
            "run.resumed",
            0,
            "run.completed",
        )
        assert sorted(mine.events[0]["data"]["kept"]) == ["a", "b"]
        assert CALLS == {"b": 1, "w": 2, "c": 1}
        ended = await mine.ask("runs.get", id=run)
        assert (ended["status"], ended["outputs"]) == ("completed", outputs(1))
        over = await mine.ask("runs.resume", id=run)
        assert (over["error"]["code"], over["error"]["details"]["run"]) == ("not_resumable", run)


@pytest.mark.rule("B5", "B4")
async def test_a_run_is_forked_over_a_socket(tmp_path: Path) -> None:
    ada, bob, canvas, run = await interrupted(tmp_path)
    GATE.set()
    async with (
        house(tmp_path) as h,
        tab(h, again(h, ada), canvas) as mine,
        tab(h, again(h, bob), canvas) as his,
    ):
        refused = await his.ask("runs.fork", id=run)
        assert (refused["ok"], refused["error"]["code"]) == (False, "forbidden")
        forked = await mine.ask("runs.fork", id=run, wait=60)
        assert (forked["ok"], forked["forked_from"], forked["status"]) == (True, run, "completed")
        assert forked["outputs"] == outputs(1)
        assert CALLS == {"b": 1, "w": 2, "c": 1}
        await until(lambda: his.last(forked["id"]))
        assert mine.events == his.events
        begun = next(each for each in his.events if each["kind"] == "run.started")
        assert begun["data"]["forked_from"] == run
        why = {each["node"]: each.get("why") for each in mine.events if each["kind"] == "node.done"}
        assert [node for node in why if why[node] == "kept"] == ["a", "b"]

        other = await mine.ask("runs.fork", id=forked["id"], inputs={"a.value": 5}, wait=60)
        assert (other["ok"], other["outputs"]) == (True, outputs(5))
        part = await mine.ask("runs.fork", id=other["id"], **{"from": ["c"]}, wait=60)
        assert (part["outputs"], CALLS["c"], CALLS["b"]) == (outputs(5), 3, 2)
        wrong = await mine.ask("runs.fork", id=run, **{"from": ["nowhere"]})
        assert (wrong["ok"], wrong["error"]["code"]) == (False, "bad_request")
