"""Who makes, sees, changes and removes triggers, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.storage import triggers as store
from tests.server.runs.house import until

from .house import START, triggered

pytestmark = pytest.mark.anyio

CRON = {"kind": "cron", "expression": "0 9 * * MON", "zone": "Europe/Berlin"}


@pytest.mark.rule("X10")
async def test_a_trigger_is_its_makers_to_change_and_its_canvas_owners_to_turn_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "spellwork_server.audit")
    async with triggered(tmp_path) as h:
        root = await h.person("root", role="admin")
        people = {name: await h.person(name) for name in ("editor", "viewer")}
        for role in people:
            member = {"email": f"{role}@example.org", "role": role}
            await h.ada.put(f"/v1/canvases/{h.canvas}/members", member)
        assert (await h.make(CRON, people["viewer"])).status == 403
        trigger = await h.made(CRON, people["editor"])
        path = f"/v1/triggers/{trigger['id']}"
        assert (await people["viewer"].get(path)).status == 200
        assert (await h.ada.patch(path, {"name": "Mine"})).status == 403
        assert (await root.patch(path, {"inputs": {"a.value": 1}})).status == 403
        assert (await h.ada.patch(path, {"enabled": True})).status == 403
        assert (await people["viewer"].patch(path, {"enabled": False})).status == 403
        assert (await h.ada.patch(path, {"enabled": False})).body["enabled"] is False
        assert (await people["editor"].patch(path, {"enabled": True, "name": "Hers"})).status == 200
        assert (await people["viewer"].delete(path)).status == 403
        assert (await h.ada.delete(path)).status == 200
        assert (await h.ada.get(path)).status == 404
    said = [each.getMessage() for each in caplog.records]
    assert any("editor@example.org made trigger" in each for each in said)
    assert any("ada@example.org removed trigger" in each for each in said)


@pytest.mark.rule("X10")
async def test_a_canvas_has_a_hundred_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_TRIGGERS", 2)
    async with triggered(tmp_path) as h:
        await h.made(CRON)
        await h.made(CRON)
        assert (await h.make(CRON)).code == "too_many_triggers"


@pytest.mark.rule("X4", "X10")
@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({"kind": "cron", "expression": "every day"}, {}),
        ({"kind": "cron", "expression": "0 0 31 2 *"}, {}),
        (CRON | {"zone": "Mars/Base"}, {}),
        ({"kind": "interval", "every": 0.5}, {}),
        ({"kind": "interval", "every": 60, "secret": "x"}, {}),
        ({"kind": "sometimes"}, {}),
        (CRON, {"inputs": {"a.value": {"$from": "body.x"}}}),
        (CRON, {"inputs": {"a.value": {"$from": "due", "else": 1}}}),
        (CRON, {"inputs": {"a.value": {"$from": "due.a b["}}}),
        (CRON, {"inputs": {"a.value": {"$from": 1}}}),
        (CRON, {"run": {"queue": "a b"}}),
        (CRON, {"missed": "never"}),
    ],
)
async def test_what_could_never_fire_is_refused_and_named(
    settings: dict, more: dict[str, Any], tmp_path: Path
) -> None:
    async with triggered(tmp_path) as h:
        answer = await h.make(settings, **more)
        assert (answer.status, answer.code) == (400, "bad_request")
        assert answer.body["error"]["details"]["errors"]


@pytest.mark.rule("X11")
async def test_the_next_times_are_told_before_anything_is_kept(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        body = {"settings": {"kind": "interval", "every": 90}, "count": 3}
        found = (await h.ada.post("/v1/triggers/preview", body)).body["times"]
        assert found == [START + 90, START + 180, START + 270]
        cron = {"settings": {"kind": "cron", "expression": "0 0 29 2 *"}, "after": 1.7e9}
        assert len((await h.ada.post("/v1/triggers/preview", cron)).body["times"]) == 5
        wrong = {"settings": CRON | {"expression": "* * *"}}
        answer = await h.ada.post("/v1/triggers/preview", wrong)
        assert answer.body["error"]["details"]["errors"][0]["field"] == "settings.expression"
        assert (await h.ada.get(f"/v1/triggers?canvas={h.canvas}")).body["items"] == []


@pytest.mark.rule("X12")
async def test_those_who_have_the_canvas_open_are_told(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        told: list[tuple[str, str, dict]] = []
        channels = h.parts.channels
        publish = channels.publish
        channels.followed = lambda channel: True  # type: ignore[method-assign]
        channels.publish = lambda channel, event, data, **more: (  # type: ignore[method-assign]
            told.append((channel, event, data))
            if event == "triggers.changed"
            else publish(channel, event, data, **more)
        )
        trigger = await h.made({"kind": "webhook"})
        fired = await h.ada.post(f"/v1/triggers/{trigger['id']}/fire")
        await until(lambda: told[-1][2]["trigger"]["last"] is not None)
        await until(lambda: told[-1][2]["trigger"]["last"]["status"] == "completed")
        assert told[-1][2]["trigger"]["last"]["run"] == fired.body["run"]
        await h.ada.delete(f"/v1/triggers/{trigger['id']}")
        assert {channel for channel, _, _ in told} == {f"canvas:{h.canvas}"}
        assert told[0][2]["trigger"]["last"] is None
        assert told[-1][2]["trigger"] is None
        assert trigger["secret"] not in str(told)


@pytest.mark.rule("X12")
async def test_a_firing_tells_how_many_nodes_of_its_run_failed(tmp_path: Path) -> None:
    broken = {"nodes": {"a": {"type": "code.python", "code": "1 / 0", "position": [0, 0]}}}
    async with triggered(tmp_path) as h:
        good = await h.made({"kind": "webhook"})
        bad = await h.made({"kind": "webhook"}, canvas=await h.canvas_of(h.ada, broken))
        for trigger, failed in ((good, 0), (bad, 1)):
            fired = await h.ada.post(f"/v1/triggers/{trigger['id']}/fire")
            assert fired.body.get("failed_nodes", 9) is None, fired.body
            await h.ended(fired.body["run"])
            (firing,) = await h.firings(trigger)
            assert (firing["status"], firing["failed_nodes"]) == ("completed", failed)
            assert (await h.read(trigger))["last"] == firing
