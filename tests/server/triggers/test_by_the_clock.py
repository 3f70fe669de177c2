"""Cron and intervals on a server: each due time fires once, whatever clocks, restarts and other processes do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from spellwork_server.errors import StoreUnavailable
from spellwork_server.runs import spell_runner
from tests.server.services.house import house
from tests.server.storage.databases import placed

from .house import START, Triggered, triggered

pytestmark = pytest.mark.anyio

MINUTE = {"kind": "interval", "every": 60}


@pytest.mark.rule("X1", "X3", "X6")
async def test_a_due_time_starts_one_run_that_is_its_makers(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE, inputs={"a.value": {"$from": "due"}})
        assert trigger["next_at"] == START + 60
        await h.pass_to(START + 59.9)
        assert await h.firings(trigger) == []
        await h.pass_to(START + 60.5)
        await h.pass_to(START + 61)
        (fired,) = await h.firings(trigger)
        assert (fired["outcome"], fired["due_at"]) == ("started", START + 60)
        run = await h.ended(fired["run"])
        assert (run["trigger"], run["user"], run["durable"]) == (
            trigger["id"],
            trigger["user"],
            True,
        )
        assert run["outputs"]["b"]["value"] == START + 60
        assert (await h.read(trigger))["next_at"] == START + 120


@pytest.mark.rule("X5")
@pytest.mark.parametrize(
    ("policy", "outcomes"),
    [
        ("skip", ["missed"] * 3),
        ("once", ["missed", "missed", "started"]),
        ("all", ["started"] * 3),
    ],
)
async def test_times_without_a_server_are_told_and_made_good_by_policy(
    policy: str, outcomes: list[str], tmp_path: Path
) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE, missed=policy)
        await h.pass_to(START + 60 * 3 + 45)
        found = await h.firings(trigger)
        assert sorted(each["outcome"] for each in found) == sorted(outcomes)
        assert {each["due_at"] for each in found} == {START + 60, START + 120, START + 180}
        assert (await h.read(trigger))["next_at"] == START + 240


@pytest.mark.rule("X6")
async def test_a_clock_that_goes_back_fires_nothing_twice(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE, missed="skip")
        await h.pass_to(START + 61)
        for back in (
            START,
            START + 61,
            START + 119,
        ):  # a little: the times come again and are passed over
            await h.pass_to(back)
        assert len(await h.firings(trigger)) == 1
        await h.pass_to(START + 10 * 3600 + 1)  # far ahead, then back by more than cron waits for
        fired = len(await h.firings(trigger))
        await h.pass_to(START + 30)
        assert (await h.read(trigger))["next_at"] == START + 60
        await h.pass_to(START + 62)
        assert len(await h.firings(trigger)) == fired
        await h.pass_to(START + 122)
        assert {each["due_at"] for each in await h.firings(trigger)} >= {START + 60, START + 120}


@pytest.mark.rule("X6", "X41")
@pytest.mark.parametrize("kind", ["file", "postgres"])
async def test_processes_on_one_database_fire_each_time_once(kind: str, tmp_path: Path) -> None:
    with placed(kind, tmp_path) as url:
        shared = {"database_url": url, "secrets_key": "k" * 40}
        async with (
            triggered(tmp_path / "one", **shared) as h,
            house(tmp_path / "two", **shared) as second,
        ):
            other = Triggered(second)
            trigger = await h.made(MINUTE)
            hook = await h.made({"kind": "webhook", "proof": "bearer"})
            after = await h.made(
                {"kind": "event", "canvas": h.canvas, "on": ["failed"]}, enabled=False
            )
            for turn in range(1, 6):
                h.now = other.now = START + 60 * turn
                await asyncio.gather(*(each.pass_to(h.now) for each in (h, other)))
            found = await h.firings(trigger)
            assert [each["due_at"] for each in found] == [START + 60 * n for n in range(1, 6)]
            assert {each["outcome"] for each in found} == {"started"}
            proof = {"Authorization": f"Bearer {hook['secret']}", "webhook-id": "one"}
            path = f"/v1/hooks/{hook['id']}"
            sent = [each.stranger().post(path, {}, headers=proof) for each in (h, other) * 3]
            answers = await asyncio.gather(*sent)
            assert sorted(each.status for each in answers) == [200] * 5 + [202]
            assert len({each.body["run"] for each in answers}) == 1
            sweeps = [each.triggers.endings.sweep() for each in (h, other) * 2]
            h.now = other.now = START
            settings = {"on": ["completed"], "kind": "event", "canvas": h.canvas}
            change = {"settings": settings, "enabled": True}
            assert (await h.ada.patch(f"/v1/triggers/{after['id']}", change)).status == 200
            run = await h.ada.post("/v1/runs", {"canvas": h.canvas, "wait": 30})
            await asyncio.gather(*sweeps)
            keys = [each["key"] for each in await h.firings(after)]
            assert keys.count(run.body["id"]) == 1
            await h.ada.patch(f"/v1/triggers/{after['id']}", {"enabled": False})


@pytest.mark.rule("X6", "X8")
async def test_a_firing_and_its_run_are_kept_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE)
        with monkeypatch.context() as patch:
            patch.setattr(spell_runner, "insert_run", full)
            await h.pass_to(START + 60)
        assert await h.firings(trigger) == []
        assert (await h.ada.get(f"/v1/runs?canvas={h.canvas}")).body["items"] == []
        assert (await h.read(trigger))["next_at"] == START + 60
        await h.pass_to(START + 66)  # tried again a moment later
        (fired,) = await h.firings(trigger)
        assert (fired["outcome"], fired["due_at"]) == ("started", START + 60)


@pytest.mark.rule("X5", "X6")
async def test_what_was_due_while_the_server_was_off_fires_when_it_is_back(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE, missed="once")
        ada = h.ada
    async with house(tmp_path) as found:
        back = Triggered(found, START + 600)
        back.ada = back.stranger()
        back.ada.token = ada.token
        await back.pass_to(START + 600)
        fired = await back.firings(trigger)
        assert [each["outcome"] for each in fired].count("started") == 1
        assert len(fired) == 10


@pytest.mark.rule("X1", "X8")
async def test_its_runs_may_wait_in_a_queue_which_may_refuse_them(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        root = await h.person("root", role="admin")
        run = {"queue": "nightly", "priority": 5, "retry": {"attempts": 3}}
        trigger = await h.made(MINUTE, run=run)
        await h.pass_to(START + 60)
        (fired,) = await h.firings(trigger)
        kept = (await h.ada.get(f"/v1/runs/{fired['run']}")).body
        assert (kept["queue"], kept["priority"]) == ("nightly", 5)
        assert (kept["trigger"], kept["durable"]) == (trigger["id"], True)
        assert (await root.post("/v1/queues/nightly/drain")).status == 200
        await h.pass_to(START + 120)
        refused = (await h.firings(trigger))[-1]
        assert (refused["outcome"], "nightly" in refused["reason"]) == ("refused", True)
        assert (await h.make(MINUTE, run={"priority": 5})).status == 400


@pytest.mark.rule("X7")
async def test_a_run_that_goes_on_may_keep_the_next_from_starting(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        slow = {
            "schema": 1,
            "name": "Slow",
            "nodes": {"a": {"type": "core.delay", "inputs": {"seconds": 60}, "position": [0, 0]}},
        }
        assert (await h.ada.put(f"/v1/canvases/{h.canvas}/spell", {"spell": slow})).status == 200
        trigger = await h.made(MINUTE, run={"overlap": "skip"})
        await h.pass_to(START + 60)
        await h.pass_to(START + 120)
        first, second = await h.firings(trigger)
        assert (first["outcome"], second["outcome"]) == ("started", "skipped")
        assert first["run"] in second["reason"]
        await h.ada.post(f"/v1/runs/{first['run']}/cancel")


@pytest.mark.rule("X8")
async def test_who_lost_the_right_starts_nothing_and_it_is_said(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        bob = await h.person("bob")
        members = f"/v1/canvases/{h.canvas}/members"
        await h.ada.put(members, {"email": "bob@example.org", "role": "editor"})
        trigger = await h.made(MINUTE, bob)
        await h.ada.put(members, {"email": "bob@example.org", "role": "viewer"})
        await h.pass_to(START + 60)
        (refused,) = await h.firings(trigger)
        assert (refused["outcome"], refused["run"]) == ("refused", None)
        assert "may not run" in refused["reason"]
        assert (await h.read(trigger))["fault"] == refused["reason"]
        await h.ada.put(members, {"email": "bob@example.org", "role": "runner"})
        await h.pass_to(START + 120)
        assert (await h.firings(trigger))[-1]["outcome"] == "started"
        assert (await h.read(trigger))["fault"] is None


@pytest.mark.rule("X8")
async def test_a_canvas_that_does_not_run_and_a_path_to_nowhere_are_told(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        wrong = await h.made(MINUTE, inputs={"nobody.port": 1})
        await h.pass_to(START + 60)
        (refused,) = await h.firings(wrong)
        assert "nobody" in refused["reason"]
        hook = await h.made({"kind": "webhook"}, inputs={"a.value": {"$from": "body.user.id"}})
        answer = await h.ada.post(
            f"/v1/triggers/{hook['id']}/fire", {"values": {"body": {"user": {}}}}
        )
        assert (answer.body["outcome"], "'id'" in answer.body["reason"]) == ("refused", True)
        answer = await h.ada.post(
            f"/v1/triggers/{hook['id']}/fire", {"values": {"body": {"user": {"id": 7}}}}
        )
        assert (await h.ended(answer.body["run"]))["outputs"]["a"]["value"] == 7


@pytest.mark.rule("X9")
async def test_one_that_is_off_fires_nothing_and_keeps_its_firings(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE)
        await h.pass_to(START + 60)
        path = f"/v1/triggers/{trigger['id']}"
        assert (await h.ada.patch(path, {"enabled": False})).body["next_at"] is None
        await h.pass_to(START + 200)
        assert len(await h.firings(trigger)) == 1
        assert (await h.ada.patch(path, {"enabled": True})).body["next_at"] == START + 240
        assert len(await h.firings(trigger)) == 1


@pytest.mark.rule("X9")
async def test_old_firings_go_but_not_those_by_which_a_repetition_is_known(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made(MINUTE, missed="skip")
        await h.pass_to(START + 60 * 30)
        records = h.parts.stores.triggers
        assert await records.trim(h.now, keep=5) == 0
        assert await records.trim(h.now + 3_700, keep=5) == 25
        assert len(await h.firings(trigger)) == 5
