"""Runs that go on: after a crash, a clean stop, a click, an answer; and those forked from others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from spellwork import Event, Limits, Question
from spellwork_server.errors import ServerError
from spellwork_server.grants.masking import Masks
from spellwork_server.runs.asking import Asked
from spellwork_server.runs.pace import Pace
from spellwork_server.runs.run_sink import RunSink
from spellwork_server.storage.database import Database
from spellwork_server.storage.run_progress import ProgressRecords
from spellwork_server.storage.run_records import RunRecords
from spellwork_server.storage.run_spells import keep_spell
from spellwork_server.storage.run_states import take_up
from spellwork_server.storage.schema import EVENTS, RUNS

from .house import ADA, BOB, Gates, House, house, spell_of, until

pytestmark = pytest.mark.anyio


def chain(gate: str = "g") -> dict[str, Any]:
    """a = 1; b = a + 1; w waits, and gives b; c = w + 1."""
    return spell_of(
        {
            "a": {"type": "t.value", "inputs": {"value": 1}},
            "b": {"type": "t.add"},
            "w": {"type": "t.wait", "inputs": {"gate": gate}},
            "c": {"type": "t.add"},
        },
        "a.value > b.a",
        "b.sum > w.value",
        "w.value > c.a",
    )


WHOLE = {"a": {"value": 1}, "b": {"sum": 2}, "w": {"value": 2}, "c": {"sum": 3}}


async def crash(h: House, run: str) -> None:
    """Let nothing of the run reach the database any more, as when the process is killed."""
    going = h.runners.find(run)
    assert going is not None
    stream = going.order.stream
    await until(lambda: not h.journal._logs[stream].writing)
    h.commits._stopping = True
    h.journal._logs[stream].close()


async def kinds(h: House, run: str, node: str | None = None) -> list[str]:
    page = await h.call(ADA, "runs.events", id=run)
    return [each["kind"] for each in page["events"] if each.get("node") == node]


@pytest.mark.rule("B1", "B2")
async def test_a_durable_run_goes_on_after_a_crash_and_does_nothing_twice(kept_url: str) -> None:
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=chain(), durable=True)
        await gates.arrival("g").wait()
        await crash(h, run["id"])
    gates.arrival("g").clear()
    async with house(kept_url, gates=gates) as h:
        await gates.arrival("g").wait()
        gates.gate("g").set()
        ended = await h.ended(run["id"])
        assert (ended["status"], ended["outputs"]) == ("completed", WHOLE)
        assert gates.calls == {"b": 1, "w": 2, "c": 1}
        page = await h.call(ADA, "runs.events", id=run["id"])
        assert [each["kind"] for each in page["events"]].count("run.started") == 1
        (resumed,) = [each for each in page["events"] if each["kind"] == "run.resumed"]
        assert resumed["data"]["kept"] == ["a", "b"]
        assert resumed["data"]["attempt"] == 1
        assert await kinds(h, run["id"], "b") == ["node.started", "node.done"]
        assert ended["order"] == ["a", "b", "w", "c"]
        assert set(ended["hashes"]) == set(WHOLE)
        assert ended["why"]["b"] == "not cacheable"


@pytest.mark.rule("B3")
async def test_a_clean_stop_leaves_a_durable_run_open_and_tells_no_end(kept_url: str) -> None:
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=chain(), durable=True)
        await gates.arrival("g").wait()
    async with Database(kept_url) as database:
        record = await RunRecords(database).get(run["id"])
        assert record is not None
        assert (record.status, record.process_id, record.ended_at) == ("queued", None, None)
    gates.gate("g").set()
    async with house(kept_url, gates=gates) as h:
        await until(lambda: "c" in gates.calls)
        assert (await h.ended(run["id"]))["outputs"] == WHOLE
        assert "run.cancelled" not in await kinds(h, run["id"])
        assert await kinds(h, run["id"], "w") == ["node.started"] * 2 + ["node.done"]


@pytest.mark.rule("B4")
async def test_an_interrupted_run_is_resumed_by_whoever_may_steer_it(kept_url: str) -> None:
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        await h.canvas(chain(), bob="viewer")
        run = await h.call(ADA, "runs.create", canvas="c1")
        await gates.arrival("g").wait()
    async with house(kept_url, gates=gates) as h:
        await h.rooms_again("c1", chain())
        h.members["c1"] = {"ada": "owner", "bob": "viewer"}
        assert (await h.call(ADA, "runs.get", id=run["id"]))["status"] == "interrupted"
        with pytest.raises(ServerError) as refused:
            await h.call(BOB, "runs.resume", id=run["id"])
        assert refused.value.code == "forbidden"
        h.members["c1"]["bob"] = "runner"
        resumed = await h.call(BOB, "runs.resume", id=run["id"])
        assert (resumed["id"], resumed["status"], resumed["user"]) == (run["id"], "running", "ada")
        with pytest.raises(ServerError) as refused:
            await h.call(ADA, "runs.resume", id=run["id"])
        assert refused.value.code == "run_open"
        gates.gate("g").set()
        assert (await h.ended(run["id"]))["outputs"] == WHOLE
        assert gates.calls["b"] == 1
        with pytest.raises(ServerError) as refused:
            await h.call(ADA, "runs.resume", id=run["id"])
        assert (refused.value.code, refused.value.details["reason"]) == (
            "not_resumable",
            "it has come to its end (completed); it can be forked",
        )


@pytest.mark.rule("B5")
async def test_a_fork_keeps_what_another_run_left_and_tells_it(kept_url: str) -> None:
    async with house(kept_url) as h:
        h.gates.gate("g").set()
        run = await h.call(ADA, "runs.create", spell=chain(), wait=30)
        forked = await h.call(ADA, "runs.fork", id=run["id"], **{"from": ["w"]}, wait=30)
        assert (forked["status"], forked["forked_from"]) == ("completed", run["id"])
        assert forked["outputs"] == WHOLE
        assert h.gates.calls == {"b": 1, "w": 2, "c": 2}
        assert (forked["why"]["b"], forked["why"]["c"]) == ("kept", "not cacheable")
        assert await kinds(h, forked["id"], "b") == ["node.done"]
        edited = await h.call(
            ADA, "runs.fork", id=run["id"], inputs={"b.b": 10}, **{"from": ["w"]}, wait=30
        )
        assert edited["outputs"]["c"] == {"sum": 12}
        assert edited["why"]["a"] == "kept"
        again = await h.call(ADA, "runs.fork", id=edited["id"], **{"from": ["c"]}, wait=30)
        assert again["outputs"]["c"] == {"sum": 12}
        assert h.gates.calls == {"b": 2, "w": 3, "c": 4}


@pytest.mark.rule("B6")
async def test_a_fork_runs_what_failed_and_what_is_another_by_now(kept_url: str) -> None:
    broken = spell_of(
        {
            "a": {"type": "t.add", "inputs": {"a": 1}},
            "f": {"type": "t.fail", "inputs": {"message": "no"}},
            "b": {"type": "t.add"},
            "d": {"type": "t.add"},
        },
        "f.value > b.a",
        "a.sum > d.a",
    )
    async with house(kept_url) as h:
        room = await h.canvas(broken)
        run = await h.call(ADA, "runs.create", canvas="c1", wait=30)
        assert run["errors"].keys() == {"f"}
        again = await h.call(ADA, "runs.fork", id=run["id"], wait=30)
        assert (again["errors"].keys(), again["skipped"].keys()) == ({"f"}, {"b"})
        assert h.gates.calls == {"a": 1, "d": 1}
        mended = {
            **broken,
            "nodes": {**broken["nodes"], "f": {"type": "t.value", "inputs": {"value": 5}}},
        }
        room.draw(type(room.drawn).model_validate(mended))
        now = await h.call(ADA, "runs.fork", id=run["id"], spell="now", wait=30)
        assert now["outputs"]["b"] == {"sum": 6}
        assert h.gates.calls == {"a": 1, "d": 1, "b": 1}
        first = (await h.call(ADA, "runs.events", id=now["id"]))["events"][0]
        assert first["data"]["changed"] == {"f": "code changed"}
        assert first["data"]["kept"] == ["a", "d"]


class Desk:
    """Questions and answers, by run and path, in memory."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], Question] = {}
        self.answers: dict[tuple[str, str], Any] = {}
        self.waiting: dict[tuple[str, str], asyncio.Future[Any]] = {}

    def asker_of(self, asked: Asked) -> Callable[[str, Question], Any]:
        async def ask(path: str, question: Question) -> asyncio.Future[Any]:
            key = (asked.run, path)
            self.asked[key] = question
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            if key in self.answers:
                future.set_result(self.answers[key])
            self.waiting[key] = future
            return future

        return ask

    async def is_answered(self, run: str) -> bool:
        return any(asking == run and (asking, path) in self.answers for asking, path in self.asked)


def asking() -> dict[str, Any]:
    return spell_of(
        {
            "a": {"type": "t.add", "inputs": {"a": 1}},
            "q": {"type": "t.ask"},
            "c": {"type": "t.add"},
        },
        "a.sum > q.value",
        "q.answer > c.a",
    )


async def rests(h: House) -> dict[str, Any]:
    """Start such a run, and return it as it waits."""
    started = await h.call(ADA, "runs.create", spell=asking())
    await until(lambda: h.runners.find(started["id"]) is None)
    run = await h.call(ADA, "runs.get", id=started["id"])
    assert run["status"] == "waiting"
    return run


@pytest.mark.rule("B7", "V8")
async def test_a_run_waits_for_people_in_the_store_and_goes_on_with_the_answer(
    kept_url: str,
) -> None:
    desk, gates = Desk(), Gates()
    async with house(kept_url, asking=desk, gates=gates) as h:
        run = await rests(h)
        assert h.runners.find(run["id"]) is None
        assert (run["progress"]["ended"], run["progress"]["total"]) == (1, 3)
        with pytest.raises(ServerError) as refused:
            await h.call(ADA, "runs.resume", id=run["id"])
        assert refused.value.details["reason"] == "it waits for an answer"
        with pytest.raises(ServerError) as refused:
            await h.call(ADA, "runs.remove", id=run["id"])
        assert refused.value.code == "run_open"
    async with house(kept_url, asking=desk, gates=gates) as h:
        assert (await h.call(ADA, "runs.get", id=run["id"]))["status"] == "waiting"
        desk.answers[run["id"], "q"] = 41
        await h.runners.answered(run["id"])
        ended = await h.ended(run["id"])
        assert (ended["status"], ended["outputs"]["c"]) == ("completed", {"sum": 42})
        assert gates.calls == {"a": 1, "c": 1}


@pytest.mark.rule("B8")
async def test_a_run_that_waits_is_cancelled_without_being_loaded(kept_url: str) -> None:
    async with house(kept_url, asking=Desk()) as h:
        run = await rests(h)
        ended = await h.call(ADA, "runs.cancel", id=run["id"])
        assert ended["status"] == "cancelled"
        assert (await kinds(h, run["id"]))[-1] == "run.cancelled"
        await h.runners.answered(run["id"])
        assert (await h.call(ADA, "runs.get", id=run["id"]))["status"] == "cancelled"
        await h.call(ADA, "runs.remove", id=run["id"])


@pytest.mark.rule("V5", "V8")
async def test_what_a_run_took_before_it_waited_counts_when_it_is_cancelled(kept_url: str) -> None:
    nodes = {"m": {"type": "t.model", "inputs": {"tokens": 4}}, "q": {"type": "t.ask"}}
    async with house(kept_url, asking=Desk()) as h:
        spell = spell_of(nodes, "m.text > q.value")
        run = await h.call(ADA, "runs.create", spell=spell)
        await until(lambda: h.runners.find(run["id"]) is None)
        assert (await h.call(ADA, "runs.usage"))["total"]["runs"] == 0
        kept = ProgressRecords(h.database)
        assert await kept.of([run["id"]])
        await h.call(ADA, "runs.cancel", id=run["id"])
        usage = await h.call(ADA, "runs.usage")
        assert [usage["total"][name] for name in ("runs", "nodes", "tokens")] == [1, 2, 7]
        assert [(each["model"], each["calls"]) for each in usage["tokens"]] == [("m", 1)]
        assert await kept.of([run["id"]]) == {}


@pytest.mark.rule("V5")
@pytest.mark.parametrize("durable", [True, False])
async def test_tokens_that_a_run_took_before_its_process_died_count_in_its_end(
    kept_url: str, durable: bool
) -> None:
    """Also where a node runs again, and where nobody carries the run to its end."""
    nodes = {
        "p": {"type": "t.pair", "inputs": {"value": 1}},
        "m": {"type": "t.model", "inputs": {"tokens": 4}},
        "w": {"type": "t.wait", "inputs": {"gate": "g"}},
    }
    spell = spell_of(nodes, "p.pair > m.text", "m.text > w.value")
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=spell, durable=durable)
        await gates.arrival("g").wait()
        await crash(h, run["id"])
    gates.gate("g").set()
    async with house(kept_url, gates=gates) as h:
        ended = await over(h, run["id"])
        assert ended["status"] == ("completed" if durable else "interrupted")
        calls = 2 if durable else 1
        assert [each["total_tokens"] for each in ended["usage"]] == [7 * calls]
        usage = await h.call(ADA, "runs.usage")
        assert usage["total"]["tokens"] == 7 * calls
        assert [(each["model"], each["calls"]) for each in usage["tokens"]] == [("m", calls)]


@pytest.mark.rule("B9")
async def test_what_cannot_be_had_again_exactly_is_made_again(kept_url: str) -> None:
    nodes = {
        "p": {"type": "t.pair", "inputs": {"value": 1}},
        "w": {"type": "t.wait", "inputs": {"gate": "g"}},
        "d": {"type": "t.double", "inputs": {"value": 4}},
    }
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(
            ADA, "runs.create", spell=spell_of(nodes, "p.pair > w.value"), durable=True
        )
        await gates.arrival("g").wait()
        await until(lambda: gates.calls.get("d"))
        await crash(h, run["id"])
    gates.gate("g").set()
    async with house(kept_url, gates=gates) as h:
        await until(lambda: gates.calls["w"] == 2)
        ended = await h.ended(run["id"])
        assert ended["outputs"]["w"] == {"value": [1, 1]}
        assert (gates.calls["p"], gates.calls["d"]) == (2, 1)
        page = await h.call(ADA, "runs.events", id=run["id"])
        told = [each for each in page["events"] if each["kind"] == "node.done"]
        assert [each.get("data") for each in told if each["node"] == "p"] == [
            {"inexact": ["pair"]}
        ] * 2


@pytest.mark.rule("B9")
async def test_what_is_made_again_at_once_as_a_run_goes_on_is_kept(kept_url: str) -> None:
    nodes = {
        "p": {"type": "t.twins", "inputs": {"value": "x" * 2_000}},
        "q": {"type": "t.twins", "inputs": {"value": 1}},
        "w": {"type": "t.wait", "inputs": {"gate": "g", "value": 3}},
    }
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=spell_of(nodes), durable=True)
        await gates.arrival("g").wait()
        await crash(h, run["id"])
    gates.gate("g").set()
    async with house(kept_url, gates=gates) as h:
        await until(lambda: gates.calls["w"] == 2)
        ended = await h.ended(run["id"])
        assert ended["outputs"]["p"] == {"pair": ["x" * 2_000] * 2}
        assert ended["outputs"]["q"] == {"pair": [1, 1]}
        left = {ref.node for ref in await h.outputs.of_run(run["id"])}
        assert left == {"p", "q", "w"}


@pytest.mark.rule("B9")
async def test_outputs_in_which_a_secret_is_masked_say_so() -> None:
    told: list[Event] = []
    masks = Masks()
    masks.add("hunter2 is the word")
    sink = RunSink(told.append, None, Pace(1, lambda: False), masks=masks)  # type: ignore[arg-type]
    sink(Event("node.done", 1.0, "a", outputs={"x": "say hunter2 is the word", "y": [1]}))
    sink(Event("node.done", 1.0, "b", outputs={"x": [1.5, "nothing"]}))
    assert (told[0].outputs, told[0].data) == ({"x": "say ***", "y": [1]}, {"inexact": ["x"]})
    assert told[1].data is None


@pytest.mark.rule("B1", "B2")
async def test_what_had_ended_inside_a_node_does_not_run_again(kept_url: str) -> None:
    spell = {
        "name": "Mapped",
        "nodes": {
            "list": {"type": "t.value", "inputs": {"value": ["x", "y", "z"]}},
            "each": {"type": "core.map", "settings": {"body": {"group": "g"}}},
            "item": {"type": "core.input", "inputs": {"name": "item"}, "group": "g"},
            "w": {"type": "t.wait", "inputs": {"value": 7}, "group": "g"},
            "out": {"type": "core.output", "inputs": {"name": "done"}, "group": "g"},
        },
        "edges": {
            "a": {"source": "list", "output": "value", "target": "each", "input": "items"},
            "b": {"source": "item", "output": "value", "target": "w", "input": "gate"},
            "c": {"source": "w", "output": "value", "target": "out", "input": "value"},
        },
        "groups": {"g": {"name": "Each", "position": [0, 0], "size": [400, 300]}},
    }
    gates = Gates()
    for name in "xz":
        gates.gate(name).set()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=spell, durable=True)
        await until(lambda: all(gates.arrival(name).is_set() for name in "xyz"))
        while ("node.done", "each[2]/w") not in [
            (each["kind"], each.get("node"))
            for each in (await h.call(ADA, "runs.events", id=run["id"]))["events"]
        ]:
            await asyncio.sleep(0.01)
        await crash(h, run["id"])
    for name in "xyz":
        gates.arrival(name).clear()
        gates.gate(name).set()
    async with house(kept_url, gates=gates) as h:
        await gates.arrival("y").wait()
        ended = await h.ended(run["id"])
        assert ended["errors"] == {}
        assert [7, 7, 7] in ended["outputs"]["each"].values(), ended["outputs"]
        assert not gates.arrival("x").is_set()
        assert not gates.arrival("z").is_set()
        page = await h.call(ADA, "runs.events", id=run["id"])
        (resumed,) = [each for each in page["events"] if each["kind"] == "run.resumed"]
        assert (resumed["data"]["kept"], resumed["data"]["within"]) == (["list"], ["each"])


@pytest.mark.rule("B2")
async def test_another_attempt_runs_what_failed_and_what_fed_on_it_and_keeps_the_rest(
    kept_url: str,
) -> None:
    nodes = {
        "a": {"type": "t.add", "inputs": {"a": 1}},
        "m": {"type": "t.moody"},
        "c": {"type": "t.add"},
    }
    gates = Gates()
    async with house(kept_url, gates=gates, try_again=lambda _record, _result: 0.0) as h:
        spell = spell_of(nodes, "a.sum > m.value", "m.value > c.a")
        run = await h.call(ADA, "runs.create", spell=spell, durable=True)
        going = h.runners.find(run["id"])
        assert going is not None
        assert going.kept is not None
        going.kept = replace(going.kept, retry={"attempts": 2})
        await going.ended.wait()
        laid = await h.records.get(run["id"])
        assert laid is not None
        assert (laid.status, laid.attempt) == ("queued", 2)
        claimed = await h.commits.submit(lambda conn: take_up(conn, laid.id, ("queued",), None))
        assert claimed is not None
        await h.runners.carry(claimed, claimed.fence)
        ended = await h.ended(run["id"])
        assert (ended["errors"], ended["outputs"]["c"]) == ({}, {"sum": 3})
        assert gates.calls == {"a": 1, "m": 2, "c": 1}
        assert ended["attempt"] == 2


@pytest.mark.rule("B4")
async def test_a_run_whose_node_types_are_gone_is_refused_and_stays_as_it_is(
    kept_url: str,
) -> None:
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=chain())
        await gates.arrival("g").wait()
    async with house(kept_url, gates=gates) as h:
        record = await h.records.get(run["id"])
        assert record is not None
        nodes = {**record.spell["nodes"], "b": {"type": "gone.add"}}
        async with h.database.write() as conn:
            other = await keep_spell(conn, {**record.spell, "nodes": nodes})
            await conn.execute(update(RUNS).where(RUNS.c.id == run["id"]).values(spell_hash=other))
        with pytest.raises(ServerError) as refused:
            await h.call(ADA, "runs.resume", id=run["id"])
        assert refused.value.code == "unknown_node_type"
        assert (await h.call(ADA, "runs.get", id=run["id"]))["status"] == "interrupted"


async def row_of(url: str, run: str, **changed: Any) -> Any:
    """Change the row of a run that nobody carries, and return it."""
    async with Database(url) as database:
        if changed:
            async with database.write() as conn:
                await conn.execute(update(RUNS).where(RUNS.c.id == run).values(**changed))
        return await RunRecords(database).get(run)


async def over(h: House, run: str) -> dict[str, Any]:
    """Return a run that goes on by itself, once it has ended."""
    async with asyncio.timeout(60):
        while (found := await h.call(ADA, "runs.get", id=run))["status"] in ("queued", "running"):
            await asyncio.sleep(0.01)
    return found


@pytest.mark.rule("B11", "G14")
@pytest.mark.parametrize("durable", [True, False])
async def test_the_time_that_a_run_may_take_goes_on_where_it_was(
    kept_url: str, durable: bool
) -> None:
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=chain(), durable=durable, timeout=300)
        await gates.arrival("g").wait()
    laid = await row_of(kept_url, run["id"])
    assert 0 < laid.ran < 300
    await row_of(kept_url, run["id"], ran=laid.ran + 300)
    async with house(kept_url, gates=gates) as h:
        if not durable:
            await h.call(ADA, "runs.resume", id=run["id"])
        ended = await over(h, run["id"])
        assert (ended["status"], ended["error"]["code"]) == ("failed", "run_timeout")
        assert ended["error"]["details"] == {"seconds": 300}
        assert ended["outputs"]["b"] == {"sum": 2}


@pytest.mark.rule("B11")
async def test_what_a_run_lies_in_the_store_is_no_time_that_it_takes(kept_url: str) -> None:
    desk = Desk()
    async with house(kept_url, asking=desk) as h:
        run = await rests(h)
        long_ago = {"ran": 250.0, "started_at": RUNS.c.started_at - 9_000}
        async with h.database.write() as conn:
            await conn.execute(update(RUNS).values(long_ago))
    async with house(kept_url, asking=desk, limits=Limits(seconds=300)) as h:
        desk.answers[run["id"], "q"] = 41
        await h.runners.answered(run["id"])
        assert (await h.ended(run["id"]))["status"] == "completed"


@pytest.mark.rule("B12")
@pytest.mark.parametrize("type", ["core.delay", "core.wait"])
async def test_a_delay_that_was_interrupted_goes_on_for_what_is_left_of_it(
    kept_url: str, type: str
) -> None:
    spell = spell_of({"d": {"type": type, "inputs": {"value": 1, "seconds": 3_600}}})
    async with house(kept_url) as h:
        run = await h.call(ADA, "runs.create", spell=spell, durable=True)
        await until(lambda: h.journal._logs["user:ada"].published > 1)
    for _ in range(2):  # also where it was interrupted more than once
        async with house(kept_url) as h:
            await until(lambda: h.runners.find(run["id"]) is not None)
            await until(lambda: not h.journal._logs["user:ada"].writing)
    async with Database(kept_url) as database, database.write() as conn:
        first = EVENTS.c.kind == "node.started"
        await conn.execute(
            update(EVENTS).where(first, EVENTS.c.seq == 2).values(at=EVENTS.c.at - 3_599.8)
        )
    async with house(kept_url) as h:
        assert (await over(h, run["id"]))["outputs"]["d"] == {"value": 1}


@pytest.mark.rule("Q14")
@pytest.mark.parametrize("how", ["stopped", "crashed"])
async def test_a_paused_run_stays_paused_in_the_process_that_goes_on_with_it(
    kept_url: str, how: str
) -> None:
    gates = Gates()
    async with house(kept_url, gates=gates) as h:
        run = await h.call(ADA, "runs.create", spell=chain(), durable=True)
        await gates.arrival("g").wait()
        await h.call(ADA, "runs.pause", id=run["id"])
        await until_paused(h, run["id"])
        if how == "crashed":
            await crash(h, run["id"])
    gates.gate("g").set()
    async with house(kept_url, gates=gates) as h:
        await until_paused(h, run["id"])
        await h.call(ADA, "runs.play", id=run["id"])
        assert (await h.ended(run["id"]))["outputs"] == WHOLE


async def until_paused(h: House, run: str) -> None:
    """Wait until the row of a run says that it is paused, and somebody here carries it."""
    async with asyncio.timeout(30):
        while True:
            record = await h.records.get(run)
            if record is not None and record.status == "paused" and h.runners.find(run):
                return
            await asyncio.sleep(0.002)
