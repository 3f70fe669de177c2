"""Runs of part of a canvas, over time and over limits: what the server adds to the engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from spellwork import LimitRules, Limits
from spellwork_server.errors import BadRequest
from spellwork_server.settings import Settings

from .house import ADA, BOB, House, as_spell, house, spell_of, sums, until, waiting

pytestmark = pytest.mark.anyio


async def run(h: House, who: Any = ADA, **request: Any) -> dict[str, Any]:
    return await h.call(who, "runs.create", canvas="c1", wait=60, **request)


@pytest.mark.rule("G13")
async def test_a_run_of_only_some_nodes_takes_what_the_last_run_left() -> None:
    async with house() as h:
        room = await h.canvas(sums())
        tab = await h.tab(ADA, "c1")
        with pytest.raises(BadRequest) as caught:
            await run(h, scope=["c"], reach="only")
        assert caught.value.code == "no_value"
        assert caught.value.details == {"nodes": ["b"]}
        await run(h)
        changed = sums()
        changed["nodes"]["a"]["inputs"]["value"] = 100
        changed["nodes"]["c"]["inputs"] = {"b": 10}
        room.draw(as_spell(changed))
        answer = await run(h, tab, scope=["c"], reach="only")
        assert (answer["outputs"], answer["order"]) == ({"c": {"sum": 12}}, ["c"])
        started = [event for event in tab.events() if event["kind"] == "run.started"][-1]
        assert (started["data"]["nodes"], started["data"]["reach"]) == (["c"], "only")
        assert (await run(h))["outputs"]["c"] == {"sum": 111}


@pytest.mark.rule("G13")
async def test_a_run_onward_takes_in_what_depends_on_its_nodes() -> None:
    async with house() as h:
        await h.canvas(sums())
        first = await run(h, scope=["b"], reach="onward")
        assert first["order"] == ["a", "b", "c"]
        assert (await run(h, scope=["b"], reach="onward"))["order"] == ["b", "c"]


@pytest.mark.rule("G13")
@pytest.mark.parametrize("who", [ADA, BOB], ids=["their own", "others'"])
async def test_the_last_run_is_known_after_a_restart(tmp_path: Path, who: Any) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'runs.db'}"
    async with house(url) as h:
        await h.canvas(sums(), bob="runner")
        await run(h)
    async with house(url) as h:
        h.members["c1"] = {"ada": "owner", "bob": "runner"}
        await h.rooms_again("c1", sums())
        assert (await run(h, who, scope=["c"], reach="only"))["outputs"] == {"c": {"sum": 3}}


@pytest.mark.rule("G13")
async def test_nobody_gets_values_of_others_private_runs() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="runner")
        await run(h, audience="private")
        with pytest.raises(BadRequest):
            await run(h, BOB, scope=["c"], reach="only", audience="private")


@pytest.mark.rule("G13")
async def test_live_mode_has_no_other_reach() -> None:
    async with house() as h:
        await h.canvas(sums())
        with pytest.raises(BadRequest, match="reach"):
            await run(h, scope=["c"], reach="only", mode="live")


@pytest.mark.rule("G14")
@pytest.mark.parametrize(
    ("asked", "most", "said"), [(0.05, 60.0, 0.05), (None, 0.05, 0.05), (60, 0.05, 0.05)]
)
async def test_a_run_over_its_time_fails_and_says_so(
    asked: float | None, most: float, said: float
) -> None:
    async with house(limits=Limits(seconds=most)) as h:
        tab = await h.tab()
        answer = await h.call(tab, "runs.create", spell=waiting(), wait=60, timeout=asked)
        assert answer["status"] == "failed"
        assert answer["error"]["code"] == "run_timeout"
        assert answer["error"]["message"] == f"the run took longer than {said:g} s"
        last = tab.events()[-1]
        assert (last["kind"], last["error"]["code"]) == ("run.failed", "run_timeout")
        assert last["data"]["status"] == "failed"


@pytest.mark.rule("G14")
async def test_a_run_that_makes_too_many_calls_says_so() -> None:
    async with house(limits=Limits(calls=3)) as h:
        answer = await h.call(ADA, "runs.create", spell=sums(), wait=60)
        assert {failure["code"] for failure in answer["errors"].values()} | {
            (answer["error"] or {}).get("code")
        } >= {"too_many_calls"}


@pytest.mark.rule("G14")
@pytest.mark.parametrize("length", [2_000, 200_000])
async def test_an_output_over_the_limit_fails_its_node(length: int) -> None:
    async with house(limits=Limits(output_bytes=1_000)) as h:
        drawn = spell_of({"a": {"type": "t.value", "inputs": {"value": "x" * length}}})
        answer = await h.call(ADA, "runs.create", spell=drawn, wait=60)
        assert answer["status"] == "completed"
        failure = answer["errors"]["a"]
        assert (failure["code"], failure["port"]) == ("output_too_large", "value")
        assert failure["details"] == {"size": length + 2, "limit": 1_000}


@pytest.mark.rule("G15")
async def test_the_operators_limits_hold_for_all_runs_and_waits_are_told() -> None:
    rules = LimitRules.model_validate({"types": {"t.wait": {"concurrency": 1}}})
    async with house(rules=rules) as h:
        ada, bob = await h.tab(ADA), await h.tab(BOB)
        first = await h.call(ada, "runs.create", spell=waiting("one"))
        await h.gates.arrival("one").wait()
        second = await h.call(bob, "runs.create", spell=waiting("two"))
        await until(lambda: any(event["kind"] == "node.waiting" for event in bob.events()))
        told = next(event for event in bob.events() if event["kind"] == "node.waiting")
        assert (told["node"], told["data"]) == ("w", {"for": "limit"})
        assert told["message"] == "waits for a limit of the type 't.wait'"
        h.gates.gate("two").set()
        await asyncio.sleep(0)
        assert not h.gates.arrival("two").is_set()
        h.gates.gate("one").set()
        for run in (first, second):
            assert (await h.ended(run["id"]))["status"] == "completed"


@pytest.mark.rule("G15")
async def test_a_cancel_ends_a_wait_for_a_limit_at_once() -> None:
    async with house() as h:
        drawn = spell_of(
            {
                "w": {
                    "type": "t.value",
                    "inputs": {"value": 1},
                    "settings": {"limits": {"delay": 60}},
                }
            }
        )
        tab = await h.tab()
        started = await h.call(tab, "runs.create", spell=drawn)
        await until(lambda: any(event["kind"] == "node.waiting" for event in tab.events()))
        async with asyncio.timeout(20):
            ended = await h.call(tab, "runs.cancel", id=started["id"])
        assert ended["status"] == "cancelled"


@pytest.mark.rule("G15")
def test_an_operator_sets_limits_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "SPELLWORK_LIMITS",
        '{"server": {"concurrency": 50}, "providers": {"llm": {"rate": 60, "per": 60}}}',
    )
    rules = Settings().limits
    assert rules.server is not None
    assert (rules.server.concurrency, rules.providers["llm"].per) == (50, 60)
    monkeypatch.setenv("SPELLWORK_LIMITS", '{"server": {"speed": 50}}')
    with pytest.raises(ValueError, match="speed"):
        Settings()


@pytest.mark.rule("G16")
async def test_what_stands_for_a_node_is_told_and_kept_as_its_output() -> None:
    async with house() as h:
        drawn = sums()
        drawn["nodes"]["a"]["settings"] = {"pins": {"value": 40}}
        drawn["nodes"]["b"]["settings"] = {"mode": "bypass"}
        drawn["nodes"]["d"]["settings"] = {"mode": "mute"}
        tab = await h.tab()
        answer = await h.call(tab, "runs.create", spell=drawn, wait=60)
        assert answer["outputs"] == {"a": {"value": 40}, "b": {"sum": 40}, "c": {"sum": 41}}
        assert answer["skipped"] == {"d": "muted"}
        assert {id: answer["why"][id] for id in "abd"} == {
            "a": "pinned",
            "b": "bypassed",
            "d": "muted",
        }
        told = {
            event["node"]: event["why"]
            for event in tab.events()
            if event.get("node") in ("a", "b", "d")
        }
        assert told == {"a": "pinned", "b": "bypassed", "d": "muted"}
