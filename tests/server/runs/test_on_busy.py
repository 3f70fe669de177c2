"""When a run of the same user goes on there: it is replaced, waited for, or joined."""

from __future__ import annotations

import pytest

from spellwork_server.runs import runners, spell_runner
from spellwork_server.runs.errors import RunBusy, TooManyRuns

from .house import ADA, BOB, House, Tab, house, until, waiting

pytestmark = pytest.mark.anyio


async def start(h: House, who: Tab, on_busy: str | None = None) -> str:
    request = {"canvas": "c1"} | ({} if on_busy is None else {"on_busy": on_busy})
    return str((await h.call(who, "runs.create", **request))["id"])


@pytest.mark.rule("G4")
async def test_a_new_run_replaces_the_one_that_goes_on() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        first = await start(h, tab)
        await h.gates.arrival("g").wait()
        second = await start(h, tab)
        assert (await h.ended(first))["status"] == "cancelled"
        h.gates.gate("g").set()
        assert (await h.ended(second))["status"] == "completed"
        terminal = [(e["run"], e["kind"]) for e in tab.events() if e["kind"].startswith("run.")]
        assert terminal.index((first, "run.cancelled")) < terminal.index((second, "run.started"))


@pytest.mark.rule("G4")
async def test_a_queued_run_starts_when_the_one_before_has_ended() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        first = await start(h, tab)
        await h.gates.arrival("g").wait()
        second = await start(h, tab, "queue")
        assert (await h.call(tab, "runs.get", id=second))["status"] == "queued"
        assert [data["run"] for data in tab.named("run.status")] == [second]
        h.gates.gate("g").set()
        assert (await h.ended(first))["status"] == "completed"
        ended = await h.ended(second)
        assert ended["status"] == "completed"
        assert ended["started_at"] >= ended["created_at"]


async def test_a_queued_run_can_be_cancelled_before_it_starts() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        first = await start(h, tab)
        second = await start(h, tab, "queue")
        assert (await h.call(tab, "runs.cancel", id=second))["status"] == "cancelled"
        assert (await h.call(tab, "runs.get", id=first))["status"] == "running"
        assert [e["kind"] for e in tab.events() if e["run"] == second] == ["run.cancelled"]


@pytest.mark.rule("G4")
async def test_parallel_runs_go_on_beside_each_other() -> None:
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        first = await start(h, tab)
        second = await start(h, tab, "parallel")
        await until(lambda: h.gates.calls.get("w") == 2)
        h.gates.gate("g").set()
        assert (await h.ended(first))["status"] == (await h.ended(second))["status"] == "completed"


@pytest.mark.rule("G4")
async def test_two_people_never_replace_each_others_runs() -> None:
    async with house() as h:
        await h.canvas(waiting(), bob="runner")
        ada, bob = await h.tab(ADA, "c1"), await h.tab(BOB, "c1")
        first = await start(h, ada)
        second = await start(h, bob)
        await until(lambda: h.gates.calls.get("w") == 2)
        h.gates.gate("g").set()
        assert (await h.ended(first))["status"] == (await h.ended(second))["status"] == "completed"


@pytest.mark.rule("G4")
async def test_two_spells_over_rest_do_not_replace_each_other() -> None:
    async with house() as h:
        one = await h.call(ADA, "runs.create", spell=waiting("one"))
        two = await h.call(ADA, "runs.create", spell=waiting("two"))
        for gate in ("one", "two"):
            h.gates.gate(gate).set()
        assert {(await h.ended(run["id"]))["status"] for run in (one, two)} == {"completed"}


@pytest.mark.rule("G4")
async def test_a_full_queue_refuses_and_says_how_long_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spell_runner, "QUEUE_LIMIT", 2)
    async with house() as h:
        await h.canvas(waiting())
        tab = await h.tab(ADA, "c1")
        for _ in range(3):
            await start(h, tab, "queue")
        with pytest.raises(RunBusy) as refusal:
            await start(h, tab, "queue")
        assert (refusal.value.code, refusal.value.details) == ("run_busy", {"limit": 2})


@pytest.mark.rule("G4")
async def test_one_user_has_so_many_runs_at_a_time_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runners, "OPEN_RUNS", 2)
    async with house() as h:
        for _ in range(2):
            await h.call(ADA, "runs.create", spell=waiting())
        with pytest.raises(TooManyRuns) as refusal:
            await h.call(ADA, "runs.create", spell=waiting())
        assert refusal.value.status == 429
        assert (await h.call(BOB, "runs.create", spell=waiting()))["status"] == "running"
