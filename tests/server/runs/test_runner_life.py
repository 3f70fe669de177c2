"""A runner is shared by its user's tabs, kept while it is needed, and freed when it is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from spellwork_server.errors import Forbidden, StoreUnavailable
from spellwork_server.followed_runs import FollowedRuns
from spellwork_server.identity import CanvasAccess
from spellwork_server.runs.runners import RESTARTED, STOPPING
from spellwork_server.sockets import Session

from .house import ADA, BOB, house, sums, until, waiting

pytestmark = pytest.mark.anyio


@pytest.mark.rule("G4")
async def test_two_tabs_of_a_user_share_a_runner_and_two_users_do_not() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="runner")
        first, second, bob = await h.tab(ADA, "c1"), await h.tab(ADA, "c1"), await h.tab(BOB, "c1")
        assert len(h.runners) == 2
        assert h.rooms.held == {"c1": 2}
        first.manager.close("c1")
        run = await h.call(second, "runs.create", canvas="c1", wait=60)
        assert run["status"] == "completed"
        assert (first.events(), len(second.events())) == ([], len(bob.events()))


@pytest.mark.rule("G8")
async def test_closing_the_last_tab_frees_the_runner_after_the_grace() -> None:
    async with house(grace=0.3) as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        await h.managers.gone(tab)
        assert len(h.runners) == 1
        await until(lambda: len(h.runners) == 0)
        await until(lambda: h.rooms.held == {"c1": 0})


@pytest.mark.rule("G8")
async def test_a_tab_that_comes_back_within_the_grace_finds_its_runner() -> None:
    async with house(grace=0.5) as h:
        await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        runner = await h.runners.acquire("ada", "c1")
        h.runners.release(runner)
        await h.managers.gone(tab)
        await h.tab(ADA, "c1")
        await asyncio.sleep(0.6)
        assert await h.runners.acquire("ada", "c1") is runner


@pytest.mark.rule("G8")
async def test_a_run_goes_on_after_its_last_tab_and_frees_the_runner_at_its_end() -> None:
    async with house(grace=0.01) as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1", audience="private")
        await h.gates.arrival("g").wait()
        await h.managers.gone(tab)
        await asyncio.sleep(0.05)
        assert len(h.runners) == 1
        h.gates.gate("g").set()
        assert (await h.ended(run["id"]))["outputs"] == {"w": {"value": 7}}
        await until(lambda: len(h.runners) == 0)


async def test_a_thousand_opens_and_closes_leave_nothing_behind() -> None:
    async with house(grace=0) as h:
        await h.canvas(sums())
        for _ in range(1_000):
            tab = await h.tab(ADA, "c1")
            await h.managers.gone(tab)
        await until(lambda: len(h.runners) == 0)
        await until(lambda: h.rooms.held == {"c1": 0})


@pytest.mark.rule("G9")
async def test_a_restart_marks_open_runs_as_interrupted_and_their_events_stay(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}"
    async with house(url) as h:
        await h.canvas(waiting())
        run = await h.call(ADA, "runs.create", canvas="c1")
        await h.gates.arrival("g").wait()
        await until(lambda: not h.journal._logs["canvas:c1"].writing)
        # The end of this process never reaches the database, as after a crash.
        h.commits._stopping = True
        h.journal._logs["canvas:c1"].close()
        going = h.runners.find(run["id"])
        assert going is not None
    async with house(url) as h:
        h.members["c1"] = {"ada": "owner"}
        record = await h.call(ADA, "runs.get", id=run["id"])
        assert record["status"] == "interrupted"
        page = await h.call(ADA, "runs.events", id=run["id"])
        assert page["events"][0]["kind"] == "run.started"
        assert page["events"][-1]["kind"] == "run.cancelled"
        assert page["events"][-1]["message"] == RESTARTED
        assert [event["seq"] for event in page["events"]] == list(range(1, len(page["events"]) + 1))


async def test_a_clean_stop_ends_runs_and_says_so(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}"
    async with house(url) as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        await h.gates.arrival("g").wait()
    assert tab.events()[-1]["message"] == STOPPING
    async with house(url) as h:
        h.members["c1"] = {"ada": "owner"}
        assert (await h.call(ADA, "runs.get", id=run["id"]))["status"] == "interrupted"


@pytest.mark.rule("E6")
async def test_who_loses_the_canvas_loses_its_streams_at_once() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="viewer")
        ada, bob = await h.tab(ADA, "c1"), await h.tab(BOB, "c1")
        for stream in ("canvas:c1:calls", "canvas:c1:user:bob:calls"):
            await h.call(bob, "events.resume", stream=stream)
        del h.members["c1"]["bob"]
        h.managers.watch_canvas("c1")
        await until(lambda: bob.manager.canvases == ())
        for stream in ("canvas:c1", "canvas:c1:calls", "canvas:c1:user:bob:calls"):
            h.journal.tell(stream, "run.events", {"events": []})
        await h.call(ada, "runs.create", canvas="c1", wait=60)
        assert bob.events() == []
        with pytest.raises(Forbidden):
            await h.call(bob, "events.resume", stream="canvas:c1")


async def test_the_runs_of_a_deleted_canvas_end_and_write_nothing_more() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        await h.gates.arrival("g").wait()
        going = h.runners.find(run["id"])
        assert going is not None
        del h.members["c1"]
        async with h.database.write() as conn:
            await conn.exec_driver_sql("DELETE FROM events")
            await conn.exec_driver_sql("DELETE FROM streams")
            await conn.exec_driver_sql("DELETE FROM canvases")
        h.managers.watch_canvas("c1")
        async with asyncio.timeout(60):
            await going.ended.wait()
        async with h.database.read() as conn:
            assert (await conn.exec_driver_sql("SELECT count(*) FROM events")).scalar() == 0


async def test_a_store_that_fails_while_members_change_ends_neither_runs_nor_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    async def fail(_canvas: str) -> CanvasAccess:
        asked.set()
        raise StoreUnavailable("The database did not answer")

    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        run = await h.call(tab, "runs.create", canvas="c1")
        with monkeypatch.context() as patched:
            patched.setattr(h.runners, "_access", fail)
            h.managers.watch_canvas("c1")
            await asked.wait()
        h.gates.gate("g").set()
        assert (await h.ended(run["id"]))["status"] == "completed"
    assert "in the background of runs" in caplog.text


async def test_a_runner_that_could_not_be_made_is_made_once_for_those_who_waited() -> None:
    async with house() as h:
        room = await h.canvas(sums())
        del h.rooms.rooms["c1"]

        async def heal() -> None:
            h.rooms.rooms["c1"] = room

        async def later() -> object:
            await asyncio.sleep(0)
            return await h.runners.acquire("ada", "c1")

        first, second, _, third = await asyncio.gather(
            h.runners.acquire("ada", "c1"),
            h.runners.acquire("ada", "c1"),
            heal(),
            later(),
            return_exceptions=True,
        )
        held = {id(each) for each in (first, second, third) if not isinstance(each, Exception)}
        assert len(held) == 1
        assert h.rooms.held == {"c1": 1}


async def test_a_run_whose_asker_goes_while_it_is_kept_ends_as_cancelled() -> None:
    async with house() as h:
        await h.canvas(sums())
        await h.tab(ADA, "c1")
        async with asyncio.TaskGroup() as tasks, h.database.write():
            asking = tasks.create_task(h.call(ADA, "runs.create", canvas="c1"))
            await until(lambda: list(h.runners.open_runs()))
            (run,) = h.runners.open_runs()
            asking.cancel()
            await until(asking.cancelled)
        assert (await h.ended(run.id))["status"] == "cancelled"
        assert h.gates.calls == {}


@pytest.mark.rule("C1")
async def test_a_tab_that_opens_learns_of_every_run_that_goes_on_there() -> None:
    async with house() as h:
        await h.canvas(waiting(), bob="runner")
        bob = await h.tab(BOB)
        shared = await h.call(ADA, "runs.create", canvas="c1")
        private = await h.call(
            ADA, "runs.create", canvas="c1", audience="private", on_busy="parallel"
        )
        seen = await bob.manager.open("c1")
        assert [each.id for each in seen.going] == [shared["id"]]
        own = await (await h.tab(ADA)).manager.open("c1")
        assert [each.id for each in own.going] == [private["id"], shared["id"]]


@pytest.mark.rule("C1")
async def test_a_run_that_begins_while_a_tab_opens_is_in_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house() as h:
        await h.canvas(waiting())
        of_canvas = h.reader.of_canvas
        begun: list[str] = []

        async def slow(*args: Any, **options: Any) -> Any:
            found = await of_canvas(*args, **options)
            begun.append((await h.call(ADA, "runs.create", canvas="c1"))["id"])
            return found

        monkeypatch.setattr(h.reader, "of_canvas", slow)
        answer = await FollowedRuns(h.reader).open(cast("Session", await h.tab(ADA)), "c1")
        assert [each["id"] for each in answer["runs"]] == begun
