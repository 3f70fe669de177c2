"""Nothing is told before it is kept, and nothing is lost or doubled when the store fails for a while."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork import Event
from spellwork_server.errors import StoreUnavailable
from spellwork_server.runs import journal as journal_module
from spellwork_server.runs import run as run_module
from spellwork_server.runs import stream_log
from spellwork_server.runs.streams import channel_of
from spellwork_server.runs.wire import Wire
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.run_records import RunRecord, insert_run

from .house import ADA, BOB, house, spell_of, sums, until, waiting

pytestmark = pytest.mark.anyio


@contextmanager
def store_fails(commits: GroupCommit) -> Iterator[None]:
    """Let every commit fail, as a full disk does."""

    async def refuse(_batch: Any) -> list[Any]:
        raise StoreUnavailable("disk full")

    commits._commit = refuse  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        del commits._commit


@pytest.mark.rule("E2", "E9")
async def test_events_wait_while_the_store_fails_and_follow_in_order_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_log, "LAST_RETRY", 0.05)
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        await h.gates.arrival("g").wait()
        await until(lambda: tab.events() and not h.journal._logs["canvas:c1"].writing)
        told = len(tab.events())
        with store_fails(h.commits):
            h.gates.gate("g").set()
            await until(lambda: len(tab.named("events.stalled")) >= 3)
            assert len(tab.events()) == told
            # It has ended, but nobody is told so before that is kept.
            assert (await h.call(ADA, "runs.get", id=run["id"], wait=0.05))["status"] == "running"
            assert h.runners.find(run["id"]) is not None
        ended = await h.ended(run["id"])
        assert ended["outputs"] == {"w": {"value": 7}}
        assert len(tab.named("events.flowing")) == 1
        assert [e["seq"] for e in tab.events()] == list(range(1, len(tab.events()) + 1))


@pytest.mark.rule("G1")
async def test_a_run_that_cannot_be_kept_is_refused_and_calls_nothing_that_is_not_to_be_repeated() -> (
    None
):
    spell = spell_of(
        {
            "d": {"type": "t.double", "inputs": {"value": 2}},
            "w": {"type": "t.wait", "inputs": {"gate": "g"}},
        },
        "d.value > w.value",
    )
    async with house() as h:
        await h.canvas(spell)
        tab = await h.tab(ADA, "c1")
        with store_fails(h.commits), pytest.raises(StoreUnavailable):
            await h.call(tab, "runs.create", canvas="c1")
        await until(lambda: list(h.runners.open_runs()) == [])
        assert "w" not in h.gates.calls
        assert (tab.events(), await h.records.of_canvas("c1", None, limit=9)) == ([], [])
        h.gates.gate("g").set()
        ended = await h.call(tab, "runs.create", canvas="c1", wait=60)
        assert (ended["status"], ended["outputs"]["w"]) == ("completed", {"value": 4})
        assert {e["run"] for e in tab.events()} == {ended["id"]}


@pytest.mark.rule("G1")
async def test_a_run_of_a_moment_is_kept_in_one_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_log, "GATHER_SECONDS", 60)
    async with house() as h:
        await h.canvas(spell_of({"d": {"type": "t.double", "inputs": {"value": 2}}}))
        tab = await h.tab(ADA, "c1")
        await h.call(tab, "runs.create", canvas="c1", wait=60)
        commits: list[int] = []
        commit = h.commits._commit

        async def counted(batch: Any) -> None:
            commits.append(len(batch))
            await commit(batch)

        monkeypatch.setattr(h.commits, "_commit", counted)
        ended = await h.call(tab, "runs.create", canvas="c1", wait=60, inputs={"d.value": 3})
        assert ended["outputs"] == {"d": {"value": 6}}
        assert commits == [1]


@pytest.mark.rule("G1")
async def test_a_run_that_goes_on_and_on_is_answered_without_all_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_log, "GATHER_SECONDS", 0)
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        await h.call(tab, "runs.create", canvas="c1", on_busy="parallel")
        h.gates.gate("g").set()
        await until(lambda: list(h.runners.open_runs()) == [])
        kinds = [e["kind"] for e in tab.events()]
        assert kinds == ["run.started", "node.started", "node.done", "run.completed"]


@pytest.mark.rule("G1")
async def test_runs_that_are_known_wait_for_a_store_that_refuses_new_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_log, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(stream_log, "LAST_RETRY", 0.02)
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        known = await h.call(tab, "runs.create", canvas="c1", on_busy="parallel")
        await h.gates.arrival("g").wait()
        with store_fails(h.commits):
            h.gates.gate("g").set()
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await h.call(tab, "runs.create", canvas="c1", on_busy="parallel")
            assert h.runners.find(known["id"]) is not None
        assert (await h.ended(known["id"]))["outputs"] == {"w": {"value": 7}}
        assert {e["run"] for e in tab.events()} == {known["id"]}
        assert [e["seq"] for e in tab.events()] == list(range(1, len(tab.events()) + 1))


@pytest.mark.rule("G1")
@pytest.mark.parametrize("on_busy", ["queue", "replace"])
async def test_a_run_that_was_refused_while_it_waited_for_its_turn_never_has_it(
    monkeypatch: pytest.MonkeyPatch, on_busy: str
) -> None:
    monkeypatch.setattr(stream_log, "LAST_RETRY", 0.05)
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        first = await h.call(tab, "runs.create", canvas="c1")
        await h.gates.arrival("g").wait()
        with store_fails(h.commits):
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await h.call(tab, "runs.create", canvas="c1", on_busy=on_busy)
            await until(lambda: [run.id for run in h.runners.open_runs()] == [first["id"]])
        h.gates.gate("g").set()
        await until(lambda: not list(h.runners.open_runs()))
        assert h.gates.calls == {"w": 1}
        assert [run.id for run in await h.records.of_canvas("c1", None, limit=9)] == [first["id"]]
        assert {e["run"] for e in tab.events()} == {first["id"]}


@pytest.mark.rule("G1")
async def test_live_mode_calls_nothing_before_its_run_is_kept() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        with store_fails(h.commits), pytest.raises(StoreUnavailable):
            await h.call(tab, "runs.create", canvas="c1", mode="live")
        assert h.gates.calls == {}


@pytest.mark.rule("G1")
async def test_nothing_builds_on_what_a_refused_run_left() -> None:
    spell = {
        "big": {"type": "t.twins", "inputs": {"value": "y" * 200_000}},
        "s": {"type": "t.add", "inputs": {"a": 1}},
    }
    async with house() as h:
        await h.canvas(spell_of(spell))
        tab = await h.tab(ADA, "c1")
        with store_fails(h.commits):
            with pytest.raises(StoreUnavailable):
                await h.call(tab, "runs.create", canvas="c1")
            await until(lambda: not list(h.runners.open_runs()))
        run = await h.call(tab, "runs.create", canvas="c1", mode="live", wait=60)
        kept = await h.outputs.values(await h.outputs.of_run(run["id"]))
        assert len(kept[run["hashes"]["big"]["pair"]]) > 400_000


class Author:
    """Whose events they are, without a run."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.error: Exception | None = None

    def committed(self, _size: int) -> None:
        """Do nothing."""

    def broken(self, error: Exception) -> None:
        """Note that it may write no more."""
        self.error = error

    async def keep(self, conn: AsyncConnection) -> None:
        """Keep its row."""
        fields = {"id": self.run, "canvas_id": "c1", "user_id": "ada", "stream": "canvas:c1"}
        more = {"status": "running", "mode": "once", "audience": "shared", "created_at": 1.0}
        await insert_run(conn, RunRecord(**fields, **more, spell={}, request={}))  # type: ignore[arg-type]

    def says(self, message: str) -> list[Entry]:
        """Return an event of it."""
        return [Wire(self.run, 1024).entry(Event("node.log", 1.0, "n", message=message))]


@pytest.mark.rule("E9")
async def test_what_was_committed_unheard_is_told_once_whoever_was_refused_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_log, "FIRST_RETRY", 0.01)
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        log = await h.journal.log("canvas:c1")
        known, new = Author("known"), Author("new")
        await h.journal.keep(log, known, known.keep)
        commit = h.commits._commit

        async def lost(batch: Any) -> None:
            monkeypatch.setattr(h.commits, "_commit", commit)
            await commit(batch)
            raise StoreUnavailable("the connection went while it committed")

        monkeypatch.setattr(h.commits, "_commit", lost)
        monkeypatch.setattr(h.commits, "_resolve", lambda _batch, _results: None)
        h.journal.append(log, known, known.says("one"))
        kept = h.journal.keep(log, new, new.keep)
        h.journal.append(log, new, new.says("new"))
        h.journal.append(log, known, known.says("two"))
        with pytest.raises(StoreUnavailable):
            await kept
        monkeypatch.undo()
        await h.journal.settle(log, known)
        told = [(e["seq"], e["run"], e["message"]) for e in tab.events()]
        assert told == [(1, "known", "one"), (2, "new", "new"), (3, "known", "two")]


@pytest.mark.rule("G1", "E9")
async def test_who_begins_is_refused_at_once_also_where_others_are_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house() as h:
        await h.canvas(waiting())
        log = await h.journal.log("canvas:c1")
        known, new = Author("known"), Author("new")
        await h.journal.keep(log, known, known.keep)
        failures: list[Exception] = [ValueError("one of them is at fault")]

        async def fail(_batch: Any) -> None:
            raise failures.pop() if failures else StoreUnavailable("gone")

        with monkeypatch.context() as patched:
            patched.setattr(h.commits, "_commit", fail)
            h.journal.append(log, known, known.says("one"))
            with pytest.raises(StoreUnavailable):
                await h.journal.keep(log, new, new.keep)
        await h.journal.settle(log, known)
        assert (known.error is None, new.error is None) == (True, False)


@pytest.mark.rule("E9")
async def test_a_run_holds_back_when_too_much_waits_and_goes_on_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_module, "PAUSE_BYTES", 20_000)
    monkeypatch.setattr(stream_log, "LAST_RETRY", 0.05)
    nodes = {f"n{i}": {"type": "t.chatter", "inputs": {"count": 60, "every": 5}} for i in range(5)}
    wires = [f"n{i}.done > n{i + 1}.count" for i in range(4)]
    async with house() as h:
        await h.canvas(spell_of(nodes, *wires))
        tab = await h.tab(ADA, "c1")
        with store_fails(h.commits):
            starting = asyncio.ensure_future(h.call(tab, "runs.create", canvas="c1"))  # noqa: TID251 - awaited below
            with pytest.raises(StoreUnavailable):
                await starting
        run = await h.call(tab, "runs.create", canvas="c1")
        with store_fails(h.commits):
            going = h.runners.find(run["id"])
            assert going is not None
            await until(lambda: going._held)
            assert going.status == "running"
        ended = await h.ended(run["id"])
        assert ended["status"] == "completed"
        assert len([e for e in tab.events() if e["kind"] == "node.log"]) == 300


@pytest.mark.rule("E9")
async def test_a_run_that_would_fill_the_memory_fails_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_module, "FAIL_BYTES", 20_000)
    monkeypatch.setattr(stream_log, "LAST_RETRY", 0.05)
    async with house() as h:
        await h.canvas(
            spell_of({"n": {"type": "t.chatter", "inputs": {"count": 100_000, "every": 1}}})
        )
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        with store_fails(h.commits):
            going = h.runners.find(run["id"])
            assert going is not None
            await until(lambda: going._failure is not None)
        ended = await h.ended(run["id"])
        assert (ended["status"], ended["error"]["code"]) == ("failed", "journal_full")
        assert tab.events()[-1]["kind"] == "run.failed"
        assert [e["seq"] for e in tab.events()] == list(range(1, len(tab.events()) + 1))


@pytest.mark.rule("E1")
async def test_numbers_go_on_after_a_restart(kept_url: str) -> None:
    async with house(kept_url) as h:
        await h.canvas(sums())
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        last = (await h.journal.log("canvas:c1")).published
    async with house(kept_url) as h:
        h.members["c1"] = {"ada": "owner"}
        tab = await h.tab(ADA)
        await h.call(tab, "runs.create", spell=sums(), wait=60)
        assert tab.events("user:ada")[0]["seq"] == 1
        assert (await h.call(tab, "events.resume", stream="canvas:c1", after_seq=last))[
            "seq"
        ] == last


@pytest.mark.rule("E1")
async def test_many_runs_at_once_share_a_stream_without_gaps(kept_url: str) -> None:
    async with house(kept_url) as h:
        await h.canvas(sums(), bob="runner")
        tab = await h.tab(ADA, "c1")
        async with asyncio.TaskGroup() as tasks:
            for who in (ADA, BOB) * 10:
                tasks.create_task(
                    h.call(who, "runs.create", canvas="c1", on_busy="parallel", wait=60)
                )
        events = tab.events("canvas:c1")
        assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
        assert sum(e["kind"] == "run.completed" for e in events) == 20
        for run in {e["run"] for e in events}:
            kinds = [e["kind"] for e in events if e["run"] == run]
            assert (kinds[0], kinds[-1]) == ("run.started", "run.completed")


@pytest.mark.rule("E9")
async def test_sockets_that_cannot_be_told_hold_up_no_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    async with house() as h:
        await h.canvas(sums())
        await h.tab(ADA, "c1")
        monkeypatch.setattr(h.channels, "publish", broken)
        run = await h.call(ADA, "runs.create", canvas="c1", wait=60)
        monkeypatch.undo()
        assert run["status"] == "completed"
        tab = await h.tab(ADA)
        kept = await h.call(tab, "events.resume", stream="canvas:c1", after_seq=0)
        assert kept["events"][-1]["kind"] == "run.completed"
    assert "could not be sent" in caplog.text


@pytest.mark.rule("E1")
async def test_who_follows_a_stream_slowly_waits_for_what_is_written_to_it_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where other streams were used meanwhile, so many that its end is not remembered for nobody."""
    monkeypatch.setattr(journal_module, "KEPT_LOGS", 1)
    async with house() as h:
        await h.canvas(sums())
        first = await h.call(ADA, "runs.create", canvas="c1", wait=60)
        following = h.journal.follow("canvas:c1", after=0, run=None, is_open=lambda: True)
        assert isinstance(following, AsyncGenerator)
        events = [await anext(following)]
        for other in "abc":
            await h.journal.log(f"canvas:{other}")
        while events[-1].seq < (await h.journal.log("canvas:c1")).published:
            events.append(await anext(following))
        for other in "abc":
            await h.journal.log(f"canvas:{other}")
        second = await h.call(ADA, "runs.create", canvas="c1", wait=60)
        async with asyncio.timeout(30):
            while sum(event.kind == "run.completed" for event in events) < 2:
                events.append(await anext(following))
        await following.aclose()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [
            msgspec.json.decode(event.json)["run"]
            for event in events
            if event.kind == "run.completed"
        ] == [first["id"], second["id"]]


async def test_streams_that_nobody_holds_or_follows_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_module, "KEPT_LOGS", 2)
    async with house() as h:
        tab = await h.tab(ADA)
        h.channels.join(tab, channel_of("canvas:followed"))
        held = await h.journal.log("canvas:held")
        await h.journal.log("canvas:followed")
        for other in "abcdef":
            await h.journal.log(f"canvas:{other}")
        assert await h.journal.log("canvas:held") is held
        gc.collect()
        assert set(h.journal.known) == {"canvas:held", "canvas:followed"}
