"""Tests of a canvas: who may run them and make them, what is called, and that they are edits like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from spellwork import Context, Library, Pack, node
from spellwork_server.runs.test_bench import AT_ONCE
from tests.server.services.house import Caller, House, house

pytestmark = pytest.mark.anyio

posted: list[str] = []
"""What ``post.send`` sent into the world."""


@node("post.send", output="answer", side_effects=True)
async def send(text: str = "") -> str:
    """Send a text."""
    posted.append(text)
    return f"sent {text}"


@node("post.big", output="value")
async def big(count: int = 0) -> str:
    """Give a long text."""
    return "x" * count


@node("post.whose", output="value")
async def whose(ctx: Context) -> dict[str, Any]:
    """Give where it runs."""
    return {"canvas": ctx.canvas, "user": ctx.user}


gates: list[asyncio.Event] = []
waiting: list[None] = []


@node("post.gate", output="value")
async def wait_at_gate() -> bool:
    """Wait until the gate is open."""
    waiting.append(None)
    return await gates[-1].wait()


POST = Pack(name="post", version="1", title="Post", nodes=(send, big, whose, wait_at_gate))

SPELL: dict[str, Any] = {
    "name": "Post",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": "hello"}},
        "send": {"type": "post.send"},
        "up": {"type": "core.template", "inputs": {"template": "{x}!"}},
    },
    "edges": {
        "e": {"source": "a", "output": "value", "target": "send", "input": "text"},
        "f": {"source": "send", "output": "answer", "target": "up", "input": "x"},
    },
}


@asynccontextmanager
async def world(
    folder: Path, spell: dict[str, Any] = SPELL
) -> AsyncIterator[tuple[House, Caller, str]]:
    posted.clear()
    waiting.clear()
    async with house(folder) as home:
        libraries = home.parts.running.libraries
        libraries.base = Library([*libraries.base.packs, POST])
        ada = await home.person("ada")
        made = await ada.post("/v1/canvases", {"name": "Post", "spell": spell})
        assert made.status == 201, made.body
        yield home, ada, made.body["id"]


async def ran(caller: Caller, canvas: str, **more: Any) -> dict[str, Any]:
    done = await caller.post("/v1/runs", {"canvas": canvas, "wait": 30} | more)
    assert done.status == 201, done.body
    body: dict[str, Any] = done.body
    return body


async def share(ada: Caller, canvas: str, other: Caller, role: str) -> None:
    assert other.user is not None
    path = f"/v1/canvases/{canvas}/members"
    assert (await ada.put(path, {"email": other.user.email, "role": role})).status == 200


@pytest.mark.rule("J1", "J4")
async def test_a_test_made_of_a_run_passes_and_calls_nothing_that_it_recorded(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as (_, ada, canvas):
        run = await ran(ada, canvas)
        assert posted == ["hello"]
        made = await ada.post(f"/v1/runs/{run['id']}/test", {"name": "As it was"})
        assert made.status == 201, made.body
        test = made.body["test"]
        assert test["record"] == {"send": {"outputs": {"answer": "sent hello"}}}
        assert list(test["expect"]) == ["a", "up"]
        assert made.body["left_out"] == {}
        spell = (await ada.get(f"/v1/canvases/{canvas}/spell")).body
        assert spell["tests"] == {made.body["id"]: test}
        told = await ada.post(f"/v1/canvases/{canvas}/tests/run")
        assert told.status == 200, told.body
        assert (told.body["passed"], told.body["failed"]) == (1, 0)
        assert posted == ["hello"]


@pytest.mark.rule("J1", "J2")
async def test_what_fails_is_told_with_what_came_and_nothing_is_kept(tmp_path: Path) -> None:
    test = {
        "inputs": {"a.value": "bye"},
        "record": {"send": {"outputs": {"answer": "gone"}}},
        "expect": {"up": {"outputs": {"text": {"op": "equals", "value": "here!"}}}},
    }
    async with world(tmp_path, SPELL | {"tests": {"t": test, "u": {"expect": {"send": {}}}}}) as (
        _,
        ada,
        canvas,
    ):
        told = (await ada.post(f"/v1/canvases/{canvas}/tests/run", {"tests": ["t"]})).body
        [done] = told["tests"]
        [assertion] = done["assertions"]
        assert (assertion["expected"], assertion["actual"]) == ("here!", "gone!")
        both = (await ada.post(f"/v1/canvases/{canvas}/tests/run")).body
        assert [each["outcome"] for each in both["tests"]] == ["failed", "error"]
        assert both["tests"][1]["failure"]["code"] == "not_recorded"
        assert posted == []
        assert (await ada.get(f"/v1/runs?canvas={canvas}")).body["items"] == []
        unknown = await ada.post(f"/v1/canvases/{canvas}/tests/run", {"tests": ["nope"]})
        assert (unknown.status, unknown.code) == (400, "invalid_input")


@pytest.mark.rule("J2")
async def test_a_test_runs_for_whoever_asks_on_that_canvas(tmp_path: Path) -> None:
    spell = {
        "nodes": {"w": {"type": "post.whose"}, "c": {"type": "code.python", "code": "1 + 1"}},
        "tests": {
            "t": {"expect": {"w": {"outputs": {"value": {"op": "equals", "value": 0}}}, "c": {}}}
        },
    }
    async with world(tmp_path, spell) as (home, ada, canvas):
        bob = await home.person("bob")
        await share(ada, canvas, bob, "runner")
        assert bob.user is not None
        [done] = (await bob.post(f"/v1/canvases/{canvas}/tests/run")).body["tests"]
        code, place = done["assertions"]
        assert code["passed"], code
        assert place["actual"] in ({"canvas": canvas, "user": bob.user.id}, canvas)


@pytest.mark.rule("J3")
async def test_who_may_run_may_test_and_who_may_edit_may_make_tests(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, ada, canvas):
        run = await ran(ada, canvas)
        made = f"/v1/runs/{run['id']}/test"
        tests = f"/v1/canvases/{canvas}/tests/run"
        for role, may_run, may_make in (
            ("viewer", 403, 403),
            ("runner", 200, 403),
            ("editor", 200, 201),
        ):
            other = await home.person(role)
            assert (await other.post(tests)).status == 403
            assert (await other.post(made, {"name": ""})).status == 404
            await share(ada, canvas, other, role)
            assert (await other.post(tests)).status == may_run, role
            assert (await other.post(made, {"name": ""})).status == may_make, role


@pytest.mark.rule("J3")
async def test_a_private_run_of_somebody_else_becomes_no_test(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, ada, canvas):
        run = await ran(ada, canvas, audience="private")
        bob = await home.person("bob")
        await share(ada, canvas, bob, "editor")
        refused = await bob.post(f"/v1/runs/{run['id']}/test", {"name": "His"})
        assert (refused.status, refused.code) == (404, "run_not_found")


@pytest.mark.rule("J4", "J5")
async def test_nodes_and_assertions_may_be_chosen_and_large_values_are_left_out(
    tmp_path: Path,
) -> None:
    spell = {
        "nodes": {
            "big": {"type": "post.big", "inputs": {"count": 70_000}},
            "mid": {"type": "post.big", "inputs": {"count": 63_000}},
            "bad": {"type": "core.fail", "inputs": {"message": "no"}},
        }
    }
    async with world(tmp_path, spell) as (_, ada, canvas):
        run = await ran(ada, canvas, inputs={"mid.count": 62_000})
        body = {
            "name": "Chosen",
            "test": "mine",
            "record": ["big"],
            "expect": ["mid", "bad"],
        }
        made = (await ada.post(f"/v1/runs/{run['id']}/test", body)).body
        assert made["id"] == "mine"
        assert made["left_out"] == {"big": {"value": "too_large"}}
        assert made["test"]["inputs"] == {"mid.count": 62_000}
        assert made["test"]["expect"]["bad"]["status"] == "failed"
        assert len(made["test"]["expect"]["mid"]["outputs"]["value"]["value"]) == 62_000
        told = (await ada.post(f"/v1/canvases/{canvas}/tests/run")).body
        assert told["passed"] == 1, told
        by_hand = body | {
            "expect": {"mid": {"outputs": {"value": {"op": "length", "value": 62_000}}}}
        }
        again = (await ada.post(f"/v1/runs/{run['id']}/test", by_hand)).body
        assert list(again["test"]["expect"]) == ["mid"]
        spell_now = (await ada.get(f"/v1/canvases/{canvas}/spell")).body
        assert list(spell_now["tests"]) == ["mine"]


@pytest.mark.rule("J5")
async def test_a_run_of_no_canvas_becomes_no_test(tmp_path: Path) -> None:
    async with world(tmp_path) as (_, ada, _canvas):
        done = await ada.post(
            "/v1/runs", {"spell": {"nodes": {"a": {"type": "core.value"}}}, "wait": 30}
        )
        refused = await ada.post(f"/v1/runs/{done.body['id']}/test", {"name": "No"})
        assert (refused.status, refused.code) == (400, "no_canvas")


@pytest.mark.rule("J6")
async def test_tests_are_patched_compared_and_restored_with_the_canvas(tmp_path: Path) -> None:
    async with world(tmp_path) as (_, ada, canvas):
        path = f"/v1/canvases/{canvas}"
        before = (await ada.post(f"{path}/versions", {"name": "Before"})).body
        test = {"name": "T", "record": {"send": {"outputs": {"answer": None}}}}
        patched = await ada.patch(f"{path}/spell", {"tests": {"t": test}})
        assert patched.body["tests"] == {"t": test}
        found = (await ada.get(f"{path}/versions/{before['id']}/difference")).body
        assert [(each["kind"], each["what"]) for each in found["changes"]] == [("tests", "added")]
        copy = await ada.post("/v1/canvases", {"name": "Copy", "spell": patched.body})
        spell = (await ada.get(f"/v1/canvases/{copy.body['id']}/spell?as=python")).body
        assert "wf.test(" in spell
        await ada.post(f"{path}/versions/{before['id']}/restore")
        assert "tests" not in (await ada.get(f"{path}/spell")).body


@pytest.mark.rule("J6")
async def test_the_record_of_a_run_has_no_tests(tmp_path: Path) -> None:
    async with world(tmp_path, SPELL | {"tests": {"t": {"expect": {"a": {}}}}}) as (_, ada, canvas):
        run = await ran(ada, canvas)
        assert "tests" not in run["spell"]
        assert run["spell"]["nodes"].keys() == SPELL["nodes"].keys()
        assert list((await ada.get(f"/v1/canvases/{canvas}/spell")).body["tests"]) == ["t"]


@pytest.mark.rule("J7")
async def test_a_user_may_have_tests_running_so_often_at_a_time(tmp_path: Path) -> None:
    spell = {"nodes": {"g": {"type": "post.gate"}}, "tests": {"t": {"expect": {"g": {}}}}}
    async with world(tmp_path, spell) as (_, ada, canvas):
        path = f"/v1/canvases/{canvas}/tests/run"
        gates.append(asyncio.Event())
        async with asyncio.TaskGroup() as group:
            going = [group.create_task(ada.post(path)) for _ in range(AT_ONCE)]
            while len(waiting) < AT_ONCE:
                await asyncio.sleep(0.01)
            refused = await ada.post(path)
            gates[-1].set()
        assert (refused.status, refused.code) == (429, "too_many_tests")
        assert [each.result().body["passed"] for each in going] == [1, 1]
        assert (await ada.post(path)).status == 200


@pytest.mark.rule("J7")
async def test_the_tests_of_a_request_have_what_time_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spellwork_server.runs.test_bench.MOST_SECONDS", 0.05)
    spell = {"nodes": {"g": {"type": "post.gate"}}, "tests": {"t": {"expect": {"g": {}}}}}
    async with world(tmp_path, spell) as (_, ada, canvas):
        gates.append(asyncio.Event())
        [done] = (await ada.post(f"/v1/canvases/{canvas}/tests/run")).body["tests"]
        assert done["failure"]["code"] == "run_timeout"
