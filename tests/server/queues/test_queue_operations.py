"""Runs in queues as people see them, over HTTP, on a whole server."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from spellwork import Context, Event, Library, NodeError, Pack, node
from spellwork_server.runs import writer as writer_module
from spellwork_server.runs.run import Run
from spellwork_server.runs.wire import Wire
from spellwork_server.storage.queues import QueueStore
from spellwork_server.storage.run_records import RunRecord
from spellwork_server.storage.schema import RUNS
from tests.server.services.house import HELLO, Caller, house

pytestmark = pytest.mark.anyio

CALLS: dict[str, int] = {}


@node("queued.flaky", title="Fails at first", output="value", retries=0)
async def flaky(ctx: Context, times: int = 1, permanent: bool = False) -> int:
    """Fail so many times in one run, then give how often it was called."""
    CALLS[ctx.run_id] = CALLS.get(ctx.run_id, 0) + 1
    if CALLS[ctx.run_id] <= times:
        raise NodeError("not yet", code="not_yet", retryable=not permanent)
    return CALLS[ctx.run_id]


@node("queued.sleep", title="Sleeps", output="value", cache="none")
async def sleep(seconds: float = 60) -> str:
    """Sleep."""
    await asyncio.sleep(seconds)
    return "slept"


@node("queued.echo", title="Gives it back", output="value", cache="none")
async def echo(value: Any) -> Any:
    """Give the value."""
    return value


@node("queued.says", title="Says much", output="value", cache="none")
async def says(ctx: Context, words: int = 3) -> str:
    """Say how far it is, and some words on the way."""
    for word in range(words):
        ctx.progress(word / words, f"word {word}")
        ctx.log(f"line {word}", "warning")
        ctx.emit("value", f"{word} ")
        await asyncio.sleep(0.05)
    return "".join(f"{word} " for word in range(words))


@node("queued.large", title="Says large things", output="value", cache="none")
async def large(ctx: Context) -> str:
    """Stream what is too large to be told whole."""
    ctx.emit("value", {"x": "a" * 200_000})
    return "done"


@node("queued.slow_once", title="Slow once", output="value", cache="none")
async def slow_once() -> int:
    """Take long at the first call."""
    CALLS["slow"] = CALLS.get("slow", 0) + 1
    await asyncio.sleep(60 if CALLS["slow"] == 1 else 0)
    return CALLS["slow"]


@node("queued.count", title="Counts", output="most", cache="none")
async def count(seconds: float = 0.02) -> int:
    """Give how many such calls went at once."""
    CALLS["at once"] = CALLS.get("at once", 0) + 1
    CALLS["most"] = max(CALLS.get("most", 0), CALLS["at once"])
    await asyncio.sleep(seconds)
    CALLS["at once"] -= 1
    return CALLS["most"]


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


@pytest.fixture(autouse=True)
def _more_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = (flaky, sleep, echo, count, slow_once, says, large)
    pack = Pack(name="queued", version="1", title="Queued", nodes=nodes)
    installed = Library.installed().extended([pack], {})
    monkeypatch.setattr(Library, "installed", classmethod(lambda _cls: installed))


def one(type: str, settings: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return {"nodes": {"a": {"type": type, "inputs": inputs, "settings": settings or {}}}}


async def create(who: Caller, spell: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await who.post("/v1/runs", {"spell": spell, "queue": "work", **more})
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def ended(who: Caller, run: str) -> dict[str, Any]:
    return dict((await who.get(f"/v1/runs/{run}?wait=30")).body)


async def kinds(who: Caller, run: str) -> list[str]:
    page = await who.get(f"/v1/runs/{run}/events")
    return [event["kind"] for event in page.body["events"]]


@pytest.mark.rule("Q1")
async def test_a_queued_run_is_durable_and_ends_as_any_other(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = await create(ada, HELLO, priority=5)
        assert (run["queue"], run["durable"], run["priority"]) == ("work", True, 5)
        done = await ended(ada, run["id"])
        assert (done["status"], done["outputs"]["b"]) == ("completed", {"value": 2})


@pytest.mark.rule("Q6", "Q7", "Q10", "Q14")
async def test_queues_are_paused_drained_looked_at_and_emptied(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", "admin")
        assert (await ada.post("/v1/queues/work/pause", {})).status == 403
        assert (await root.post("/v1/queues/work/pause", {})).body["state"] == "paused"
        first = await create(ada, HELLO, dedupe_key="k")
        again = await create(ada, HELLO, dedupe_key="k")
        assert (again["id"], again["deduplicated"]) == (first["id"], True)
        await create(root, HELLO)
        assert (await ada.get("/v1/queues/work")).body["waiting"] == 1
        view = (await root.get("/v1/queues/work")).body
        assert (view["waiting"], len(view["processes"])) == (2, 1)
        assert (await root.post("/v1/runs/cancel", {"queue": "work"})).body == {"cancelled": 2}
        assert (await ended(ada, first["id"]))["status"] == "cancelled"
        assert await kinds(ada, first["id"]) == ["run.cancelled"]
        await root.post("/v1/queues/work/drain", {})
        refused = await ada.post("/v1/runs", {"spell": HELLO, "queue": "work"})
        assert (refused.status, refused.code) == (409, "queue_draining")
        limits = {"concurrency": 2, "rate": {"count": 10, "seconds": 60}}
        patched = await root.call("PATCH", "/v1/queues/work", limits)
        assert (patched.body["concurrency"], patched.body["rate"]["count"]) == (2, 10)
        listed = (await ada.get("/v1/processes")).body["items"]
        assert [each["queues"] for each in listed] == [None]


@pytest.mark.rule("Q7")
async def test_who_may_not_read_the_run_with_the_key_is_told_nothing_of_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, bob, root = (
            await h.person("ada"),
            await h.person("bob"),
            await h.person("root", "admin"),
        )
        await root.post("/v1/queues/work/pause", {})
        first = await create(ada, HELLO, dedupe_key="k")
        for wait in (0, 30):
            body = {"spell": HELLO, "queue": "work", "dedupe_key": "k", "wait": wait}
            refused = await bob.post("/v1/runs", body)
            assert (refused.status, refused.code) == (409, "dedupe_key_taken")
            assert first["id"] not in str(refused.body)


@pytest.mark.rule("Q7", "Q15")
async def test_nobody_puts_a_run_in_the_stead_of_a_placed_call(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, bob, root = (
            await h.person("ada"),
            await h.person("bob"),
            await h.person("root", "admin"),
        )
        await root.post("/v1/queues/work/pause", {})
        run = await create(ada, one("queued.echo", {"queue": "gpu"}, value="true"))
        key = "@" + hashlib.sha256(f"{run['id']}\na".encode()).hexdigest()
        false = {"spell": {"nodes": {"node": one("queued.echo", value="false")["nodes"]["a"]}}}
        refused = await bob.post("/v1/runs", false | {"queue": "gpu", "dedupe_key": key})
        assert refused.status == 400
        planted = (await bob.post("/v1/runs", false | {"queue": "gpu", "wait": 30})).body
        assert planted["status"] == "completed"
        async with h.parts.stores.database.write() as conn:
            await conn.execute(
                update(RUNS).where(RUNS.c.id == planted["id"]).values(dedupe_key=key)
            )
        await root.post("/v1/queues/work/play", {})
        assert (await ended(ada, run["id"]))["outputs"]["a"] == {"value": "true"}


@pytest.mark.rule("Q13")
@pytest.mark.parametrize(
    ("inputs", "attempts", "calls", "failed"),
    [
        ({"times": 2}, 3, 3, []),
        ({"times": 2}, 2, 2, ["a"]),
        ({"times": 2, "permanent": True}, 3, 1, ["a"]),
    ],
)
async def test_a_run_is_tried_again(
    tmp_path: Path, inputs: dict[str, Any], attempts: int, calls: int, failed: list[str]
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        retry = {"attempts": attempts, "backoff": 0.01}
        run = await create(ada, one("queued.flaky", **inputs), retry=retry)
        done = await ended(ada, run["id"])
        assert (done["status"], sorted(done["errors"])) == ("completed", failed)
        assert CALLS[run["id"]] == done["attempt"] == calls
        assert (await kinds(ada, run["id"])).count("run.started") == 1


@pytest.mark.rule("Q4")
@pytest.mark.parametrize("delay", [0, 3_600])
async def test_a_run_ends_at_its_deadline_whether_it_goes_or_waits(
    tmp_path: Path, delay: float
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = await create(ada, one("queued.sleep"), deadline=time.time() + 0.5, delay=delay)
        done = await ended(ada, run["id"])
        assert (done["status"], done["error"]["code"]) == ("failed", "deadline_exceeded")


@pytest.mark.rule("Q15")
async def test_a_placed_node_is_called_as_a_run_of_its_own(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        spell = {
            "nodes": {
                "a": {"type": "core.value", "inputs": {"value": [1, {"b": 2}]}},
                "b": {"type": "queued.echo", "settings": {"queue": "gpu"}},
                "c": {"type": "queued.flaky", "inputs": {"times": 9}, "settings": {"queue": "gpu"}},
            },
            "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "value"}},
        }
        done = (await ada.post("/v1/runs", {"spell": spell, "wait": 30})).body
        assert done["outputs"]["b"] == {"value": [1, {"b": 2}]}
        assert done["errors"]["c"]["code"] == "not_yet"
        calls = (await ada.get(f"/v1/runs?parent={done['id']}")).body["items"]
        assert [(run["queue"], run["parent"]) for run in calls] == [("gpu", done["id"])] * 2


@pytest.mark.rule("Q15", "V1")
async def test_the_call_of_a_placed_node_is_no_run_of_its_canvas(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, bob = await h.person("ada"), await h.person("bob")
        canvas = (
            await ada.post("/v1/canvases", {"name": "c", "spell": placed_calls(a="gpu")})
        ).body
        going = asyncio.Event()
        runners = h.parts.running.runners
        assert ada.user is not None
        user = ada.user.id
        opened: list[RunRecord] = []

        def look(run: Run) -> None:
            if run.kept is not None and run.kept.parent_id is not None:
                opened.extend(runners.going(canvas["id"], user))
                going.set()

        runners.watch_ends(look)
        run = (await ada.post("/v1/runs", {"canvas": canvas["id"], "wait": 30})).body
        assert going.is_set()
        assert {each.id for each in opened} == {run["id"]}
        listed = (await ada.get(f"/v1/runs?canvas={canvas['id']}")).body["items"]
        assert [each["id"] for each in listed] == [run["id"]]
        [call] = (await ada.get("/v1/runs?queue=gpu")).body["items"]
        assert (call["parent"], call["stream"]) == (run["id"], f"canvas:{canvas['id']}:calls")
        told = (await ada.get(f"/v1/events?stream=canvas:{canvas['id']}")).body["events"]
        assert {each["run"] for each in told} == {run["id"]}
        assert "node.done" in await kinds(ada, call["id"])
        apart = f"/v1/events?stream={call['stream']}"
        assert {each["run"] for each in (await ada.get(apart)).body["events"]} == {call["id"]}
        assert (await bob.get(apart)).status == 403


@pytest.mark.rule("Q15")
async def test_what_the_call_of_a_placed_node_tells_is_told_of_the_node(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        spell = {
            "nodes": {
                id: {
                    "type": "queued.says",
                    "inputs": {"words": words},
                    "settings": {"queue": "gpu"},
                }
                for id, words in (("a", 3), ("b", 30))
            }
        }
        run = (await ada.post("/v1/runs", {"spell": spell, "wait": 30})).body
        assert run["errors"] == {}
        told = (await ada.get(f"/v1/runs/{run['id']}/events?limit=1000")).body["events"]
        for id, words in (("a", 3), ("b", 30)):
            mine = [event for event in told if event.get("node") == id]
            lines = [event["message"] for event in mine if event["kind"] == "node.log"]
            assert lines == [f"line {word}" for word in range(words)]
            chunks = [event["value"] for event in mine if event["kind"] == "node.chunk"]
            assert "".join(chunks) == run["outputs"][id]["value"]
            assert {"node.progress", "node.waiting"} < {event["kind"] for event in mine}
            assert mine[-1]["kind"] == "node.done"


@pytest.mark.rule("E10", "Q15")
async def test_lines_that_the_call_of_a_placed_node_left_out_are_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "LOG_LINES", 10)
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        says = {"type": "queued.says", "inputs": {"words": 17}, "settings": {"queue": "gpu"}}
        run = (await ada.post("/v1/runs", {"spell": {"nodes": {"a": says}}, "wait": 30})).body
        assert run["errors"] == {}
        told = (await ada.get(f"/v1/runs/{run['id']}/events?limit=1000")).body["events"]
        lines = [event["message"] for event in told if event["kind"] == "node.log"]
        assert lines == [
            *(f"line {word}" for word in range(10)),
            "7 more log lines of this node were left out",
        ]


@pytest.mark.rule("Q15")
async def test_large_chunks_of_a_placed_call_are_told_whole(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = (
            await ada.post("/v1/runs", {"spell": one("queued.large", {"queue": "gpu"}), "wait": 30})
        ).body
        assert run["errors"] == {}
        told = (await ada.get(f"/v1/runs/{run['id']}/events?limit=1000")).body["events"]
        [chunk] = [event["value"] for event in told if event["kind"] == "node.chunk"]
        assert chunk["size"] > 200_000
        assert chunk["preview"][0].keys() == {"x"}


@pytest.mark.rule("Q15")
async def test_a_call_that_begins_anew_says_so_of_the_node(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = (await ada.post("/v1/runs", {"spell": one("queued.says", {"queue": "gpu"})})).body
        while not (calls := (await ada.get(f"/v1/runs?parent={run['id']}")).body["items"]):
            await asyncio.sleep(0.01)
        journal = h.parts.running.journal
        log = await journal.log(calls[0]["stream"])
        event = Event("node.started", time.time(), "node")
        entry = Wire(calls[0]["id"], 1_000, 1).entry(event)
        journal.append(log, Nobody(), [entry])
        await ended(ada, run["id"])
        told = await kinds(ada, run["id"])
        assert told.count("node.started") == 2


class Nobody:
    """The author of an event that another process might have written."""

    def committed(self, size: int) -> None:
        pass

    def broken(self, error: Exception) -> None:
        raise error


@pytest.mark.rule("Q15", "N3")
async def test_a_placed_call_inside_a_canvas_is_for_the_user_of_the_run_alone(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, bob = await h.person("ada"), await h.person("bob")
        child = (await ada.post("/v1/canvases", {"name": "c", "spell": placed_calls(a="gpu")})).body
        sub = {"type": "core.spell", "settings": {"body": {"spell": child["id"]}}}
        drawn = {"name": "p", "spell": {"nodes": {"sub": sub}}}
        parent = (await ada.post("/v1/canvases", drawn)).body["id"]
        member = {"email": bob.user and bob.user.email, "role": "viewer"}
        assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200
        run = (await ada.post("/v1/runs", {"canvas": parent, "wait": 30})).body
        assert (run["status"], run["errors"]) == ("completed", {})
        calls = f"/v1/runs?canvas={parent}&parent={run['id']}"
        [call] = (await ada.get(calls)).body["items"]
        assert call["audience"] == "private"
        assert (await bob.get(f"/v1/runs/{run['id']}")).status == 200
        assert (await bob.get(calls)).body["items"] == []
        assert (await bob.get(f"/v1/runs/{call['id']}")).status == 404
        assert (await bob.get(f"/v1/events?stream={call['stream']}")).status == 403


@pytest.mark.rule("Q15")
async def test_a_run_that_went_on_takes_the_calls_along_that_it_did_not_come_to_again(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = (await create(ada, one("queued.sleep")))["id"]
        while "node.started" not in await kinds(ada, run):
            await asyncio.sleep(0.01)
    async with house(tmp_path) as h:
        token, ada = ada.token, h.stranger()
        ada.token = token
        call = (await create(ada, HELLO, delay=3_600))["id"]
        async with h.parts.stores.database.write() as conn:
            await conn.execute(update(RUNS).where(RUNS.c.id == call).values(parent_id=run))
        while "run.resumed" not in await kinds(ada, run):
            await asyncio.sleep(0.01)
        await ada.post(f"/v1/runs/{run}/cancel", {})
        assert (await ended(ada, call))["status"] == "cancelled"


@pytest.mark.rule("Q15", "Q14")
async def test_a_cancel_reaches_a_placed_node(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        spell = one("queued.sleep", {"queue": "gpu"})
        run = (await ada.post("/v1/runs", {"spell": spell})).body
        while not (found := await children(ada)):
            await asyncio.sleep(0.01)
        done = (await ada.post(f"/v1/runs/{run['id']}/cancel", {})).body
        assert done["status"] == "cancelled"
        assert (await ended(ada, found[0]))["status"] == "cancelled"


@pytest.mark.rule("Q15")
async def test_what_a_run_placed_ends_with_it_while_nobody_carries_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        runs = [(await create(ada, HELLO, delay=3_600))["id"] for _ in range(4)]
        waiting, call, dead, dead_call = runs
        async with h.parts.stores.database.write() as conn:
            for parent, child in ((waiting, call), (dead, dead_call)):
                await conn.execute(update(RUNS).where(RUNS.c.id == child).values(parent_id=parent))
        await ada.post(f"/v1/runs/{waiting}/cancel", {})
        assert (await ended(ada, call))["status"] == "cancelled"
        async with h.parts.stores.database.write() as conn:
            values = {"status": "running", "process_id": "dead", "takeovers": 3}
            await conn.execute(update(RUNS).where(RUNS.c.id == dead).values(**values))
    async with house(tmp_path) as h:
        token, ada = ada.token, h.stranger()
        ada.token = token
        assert (await ended(ada, dead))["status"] == "failed"
        assert (await ended(ada, dead_call))["status"] == "cancelled"


async def children(who: Caller) -> list[str]:
    runs = (await who.get("/v1/runs?queue=gpu&status=running")).body["items"]
    return [run["id"] for run in runs]


def placed_calls(**nodes: str) -> dict[str, Any]:
    """Return a spell of nodes that count, each placed on a queue."""
    return {
        "nodes": {
            id: {"type": "queued.count", "settings": {"queue": queue}}
            for id, queue in nodes.items()
        }
    }


@pytest.mark.rule("Q17")
async def test_a_run_that_only_waits_for_what_it_placed_leaves_its_place_in_the_queue_to_that(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", "admin")
        await root.call("PATCH", "/v1/queues/work", {"concurrency": 1})
        spell = placed_calls(b="work", c="work")
        runs = [(await create(ada, spell))["id"] for _ in range(2)]
        for run in runs:
            done = await ended(ada, run)
            assert (done["status"], sorted(done["outputs"])) == ("completed", ["b", "c"])
        assert CALLS["most"] == 1


@pytest.mark.rule("Q17")
async def test_runs_of_two_queues_that_place_nodes_on_each_other_all_end(tmp_path: Path) -> None:
    async with house(tmp_path, queued_runs=1) as h:
        ada, root = await h.person("ada"), await h.person("root", "admin")
        for queue in ("work", "gpu"):
            await root.call("PATCH", f"/v1/queues/{queue}", {"concurrency": 1, "per_process": 1})
        runs = [
            (await create(ada, placed_calls(a=other, b=queue), queue=queue))["id"]
            for queue, other in (("work", "gpu"), ("gpu", "work"))
        ]
        for run in runs:
            assert not (await ended(ada, run))["errors"]


@pytest.mark.rule("Q17")
async def test_a_draining_queue_takes_what_its_own_runs_place_there(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", "admin")
        await root.post("/v1/queues/work/pause", {})
        run = await create(ada, placed_calls(a="work", b="gpu"))
        await root.post("/v1/queues/gpu/drain", {})
        await root.post("/v1/queues/work/drain", {})  # lets it go
        done = await ended(ada, run["id"])
        assert {node: each["code"] for node, each in done["errors"].items()} == {
            "b": "queue_draining"
        }


@pytest.mark.rule("Q15")
@pytest.mark.parametrize("permanent", [False, True])
async def test_a_placed_node_fails_for_good_where_its_call_did(
    tmp_path: Path, permanent: bool
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        settings = {"queue": "gpu", "retries": 2, "backoff": 0}
        spell = one("queued.flaky", settings, times=9, permanent=permanent)
        done = await ended(
            ada, (await create(ada, spell, retry={"attempts": 2, "backoff": 0}))["id"]
        )
        assert (done["attempt"], done["errors"]["a"]["attempts"]) == (
            (1, 1) if permanent else (2, 3)
        )
        assert done["errors"]["a"].get("retryable", True) is not permanent
        assert sum(CALLS.values()) == (1 if permanent else 6)


@pytest.mark.rule("Q18")
async def test_a_run_that_kills_its_processes_ends_and_says_why(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = await create(ada, HELLO, delay=3_600)
        async with h.parts.stores.database.write() as conn:
            dead = {"status": "running", "process_id": "dead", "takeovers": 3}
            await conn.execute(update(RUNS).values(**dead))
    async with house(tmp_path) as h:
        token, ada = ada.token, h.stranger()
        ada.token = token
        done = await ended(ada, run["id"])
        assert (done["status"], done["error"]["code"]) == ("failed", "too_many_takeovers")
        assert await kinds(ada, run["id"]) == ["run.failed"]


@pytest.mark.rule("Q15")
@pytest.mark.parametrize("looks_for", [0, 0.5])
async def test_a_placed_call_that_took_too_long_is_made_anew_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks_for: float
) -> None:
    find = QueueStore.find_by_key

    async def find_late(self: QueueStore, queue: str, key: str) -> RunRecord | None:
        """Give what was there, when it may have ended already."""
        found = await find(self, queue, key)
        await asyncio.sleep(looks_for)
        return found

    monkeypatch.setattr(QueueStore, "find_by_key", find_late)
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        settings = {"queue": "gpu", "retries": 5, "backoff": 0, "timeout": 3}
        spell = one("queued.slow_once", settings)
        done = (await ada.post("/v1/runs", {"spell": spell, "wait": 50})).body
        assert (done["errors"], done["outputs"]["a"]["value"] > 1) == ({}, True)


@pytest.mark.rule("Q17")
async def test_a_run_whose_placed_call_took_too_long_leaves_its_place_to_the_next(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", "admin")
        await root.call("PATCH", "/v1/queues/work", {"concurrency": 1})
        spell = placed_calls(b="work")
        settings = {"queue": "work", "timeout": 1}
        spell["nodes"]["a"] = {"type": "queued.sleep", "settings": settings}
        done = await ended(ada, (await create(ada, spell))["id"])
        assert (done["status"], list(done["errors"]), list(done["outputs"])) == (
            "completed",
            ["a"],
            ["b"],
        )
