"""A canvas that runs another: found for who runs it, followed as it changes, told by path, readable by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork_server.workers.workers import Workers

from .house import Caller, House, house

pytestmark = pytest.mark.anyio

CHILD: dict[str, Any] = {
    "name": "Child",
    "nodes": {
        "n": {"type": "core.input", "inputs": {"name": "n", "schema": {"type": "number"}}},
        "big": {"type": "core.compare", "inputs": {"operator": "is greater than", "right": 2}},
        "out": {"type": "core.output", "inputs": {"name": "big"}},
    },
    "edges": {
        "a": {"source": "n", "output": "value", "target": "big", "input": "left"},
        "b": {"source": "big", "output": "holds", "target": "out", "input": "value"},
    },
}


EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


def parent_of(child: str, **inputs: Any) -> dict[str, Any]:
    sub = {"type": "core.spell", "settings": {"body": {"spell": child}}, "inputs": inputs}
    return {"name": "Parent", "nodes": {"sub": sub}, "edges": {}}


async def canvas(caller: Caller, spell: dict[str, Any]) -> str:
    made = await caller.post("/v1/canvases", {"name": spell["name"]})
    await draw(caller, made.body["id"], spell)
    return str(made.body["id"])


async def draw(caller: Caller, id: str, spell: dict[str, Any]) -> None:
    put = await caller.put(f"/v1/canvases/{id}/spell", spell)
    assert put.status == 200, put.body


async def run(caller: Caller, id: str, **more: Any) -> Any:
    return (await caller.post("/v1/runs", {"canvas": id, "wait": 60, **more})).body


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.rule("N1", "N3")
async def test_a_run_of_a_parent_names_the_version_of_its_child_and_tells_its_nodes_by_path(
    served: House,
) -> None:
    ada = await served.person("ada")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    left = await run(ada, parent)
    assert left["outputs"] == {"sub": {"big": True}}, left
    async with served.parts.rooms.visit(child) as room:
        assert left["children"] == {child: room.seq}
    events = (await ada.get(f"/v1/runs/{left['id']}/events")).body["events"]
    assert [each["node"] for each in events if each["kind"] == "node.done"] == [
        "sub/n",
        "sub/big",
        "sub/out",
        "sub",
    ]
    assert events[0]["data"]["children"] == left["children"]
    inner = await ada.get(f"/v1/runs/{left['id']}/outputs/sub%2Fbig/holds")
    assert inner.body["value"] is True, inner.body
    assert "sub/big" not in left["outputs"]
    assert left["order"] == ["sub"]


@pytest.mark.rule("N2")
async def test_who_may_not_read_the_child_cannot_run_it_by_way_of_the_parent(served: House) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    child = await canvas(ada, CHILD)
    stolen = await canvas(bob, parent_of(child, n=5))
    left = await run(bob, stolen)
    assert left["errors"]["sub"]["code"] == "unknown_spell"
    found = (await bob.post("/v1/nodes/validate", {"spell": parent_of(child)})).body["problems"]
    assert [each["code"] for each in found] == ["unknown_spell"]
    node = parent_of(child)["nodes"]["sub"]
    ports = (await bob.post("/v1/nodes/ports", {"node": node})).body
    assert "n" not in [port["name"] for port in ports["inputs"]]
    ports = (await ada.post("/v1/nodes/ports", {"node": node})).body
    assert "n" in [port["name"] for port in ports["inputs"]]


@pytest.mark.rule("N2")
async def test_the_ports_of_a_child_are_shown_where_every_editor_may_read_it(served: House) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    async with served.parts.rooms.visit(parent) as room:
        assert "n" in names(room.ports["sub"]["inputs"])
        member = {"email": bob.user and bob.user.email, "role": "editor"}
        assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200
        await draw(ada, parent, parent_of(child, n=6))
        await until(lambda: [p["code"] for p in room.problems] == ["unknown_spell"])


@pytest.mark.rule("N3")
async def test_what_happens_inside_a_child_is_told_where_all_who_see_the_run_may_read_it(
    served: House,
) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    member = {"email": bob.user and bob.user.email, "role": "viewer"}
    assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200

    async def inside(n: int, **more: Any) -> tuple[list[str], int]:
        await draw(ada, parent, parent_of(child, n=n))
        left = await run(ada, parent, **more)
        assert left["outputs"] == {"sub": {"big": True}}
        events = (await ada.get(f"/v1/runs/{left['id']}/events")).body["events"]
        value = await ada.get(f"/v1/runs/{left['id']}/outputs/sub%2Fbig/holds")
        done = [each["node"] for each in events if each["kind"] == "node.done"]
        return [node for node in done if "/" in node], value.status

    assert await inside(5) == ([], 404)
    told = (["sub/n", "sub/big", "sub/out"], 200)
    assert await inside(6, audience="private") == told
    assert (await ada.put(f"/v1/canvases/{child}/members", member)).status == 200
    assert await inside(7) == told


@pytest.mark.rule("N3", "13.8")
async def test_a_failure_in_a_child_names_its_node_where_all_who_see_the_run_may_read_the_child(
    served: House,
) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    bad = {"type": "core.fail", "name": "Divide", "inputs": {"message": "by zero"}}
    child = await canvas(ada, {"name": "Child", "nodes": {"bad": bad}})
    parent = await canvas(ada, parent_of(child))
    left = await run(ada, parent)
    error = left["errors"]["sub"]
    assert error["message"] == "sub/bad ('Divide'): by zero"
    assert error["details"] == {"path": "sub/bad", "node": "bad", "label": "Divide"}
    member = {"email": bob.user and bob.user.email, "role": "viewer"}
    assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200
    hidden = await run(ada, parent)
    events = (await ada.get(f"/v1/runs/{hidden['id']}/events")).body["events"]
    (told,) = [each for each in events if each["kind"] == "node.failed"]
    for failure in (hidden["errors"]["sub"], told["error"]):
        assert failure["code"] == "failed"
        assert failure["details"] == {"hidden": "sub"}
        assert "zero" not in str(failure)
        assert "bad" not in str(failure)
    assert (await run(ada, parent, audience="private"))["errors"]["sub"] == error


@pytest.mark.rule("N3", "E6")
async def test_who_comes_later_sees_of_runs_of_before_what_they_may_read_now(
    served: House,
) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    child = await canvas(
        ada,
        {
            "name": "Child",
            "nodes": {
                "big": {"type": "core.value", "inputs": {"value": "x" * 100_000}},
                "bad": {"type": "core.fail", "inputs": {"message": "by zero"}},
            },
        },
    )
    parent = await canvas(ada, parent_of(child))
    left = await run(ada, parent)
    error = left["errors"]["sub"]
    member = {"email": bob.user and bob.user.email, "role": "viewer"}
    assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200
    one, stream = f"/v1/runs/{left['id']}", {"stream": f"canvas:{parent}"}
    told = (await ada.get(f"{one}/events", params={"node": "sub/big"})).body["events"]
    (key,) = [e["outputs"]["value"]["$ref"] for e in told if e["kind"] == "node.done"]

    async def seen(reader: Caller) -> tuple[Any, ...]:
        events = (await reader.get(f"{one}/events")).body["events"]
        page = (await reader.get("/v1/events", params=stream)).body
        text = (await reader.get(f"{one}/events", headers=EVENTS)).body
        return (
            [each["node"] for each in events if "/" in (each.get("node") or "")] != [],
            "sub/bad" in text,
            "zero" in str((page, events)) + text,
            [each["seq"] for each in page["events"]] == [*range(1, page["seq"] + 1)],
            (await reader.get(one)).body["errors"]["sub"],
            (await reader.get(f"{one}/outputs/sub%2Fbig/value")).status,
            (await reader.get(f"/v1/cache/values/{key}")).status,
        )

    hidden = {"code": "failed", "attempts": 1, "details": {"hidden": "sub"}}
    *inside, failure, output, kept = await seen(bob)
    assert (inside, output, kept) == ([False, False, False, True], 404, 404)
    assert {name: failure[name] for name in hidden} == hidden
    assert "zero" not in failure["message"]
    assert await seen(ada) == (True, True, True, True, error, 200, 200)
    assert (await ada.put(f"/v1/canvases/{child}/members", member)).status == 200
    assert await seen(bob) == (True, True, True, True, error, 200, 200)


@pytest.mark.rule("N3", "E3")
async def test_a_socket_of_who_comes_later_gets_every_number_of_the_stream(served: House) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    await run(ada, parent)
    member = {"email": bob.user and bob.user.email, "role": "viewer"}
    assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200
    socket = socketio.AsyncClient()
    await socket.connect(
        served.origin, auth={"token": bob.token}, transports=["websocket"], wait_timeout=30
    )
    try:
        resumed = await socket.call("events.resume", {"stream": f"canvas:{parent}", "after_seq": 0})
    finally:
        await socket.disconnect()
    assert [each["seq"] for each in resumed["events"]] == [*range(1, resumed["seq"] + 1)]
    assert not any("/" in (each.get("node") or "") for each in resumed["events"])
    hidden = [each for each in resumed["events"] if each["kind"] == "node.hidden"]
    assert hidden
    assert all(each.keys() == {"seq", "run", "kind", "at"} for each in hidden)


@pytest.mark.rule("N4")
async def test_the_ports_of_a_subspell_follow_the_child_on_open_tabs(served: House) -> None:
    ada = await served.person("ada")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    socket = socketio.AsyncClient()
    heard: list[Any] = []
    socket.on("canvas.problems", heard.append)
    await socket.connect(
        served.origin, auth={"token": ada.token}, transports=["websocket"], wait_timeout=30
    )
    try:
        opened = await socket.call("canvas.open", {"canvas": parent, "client_id": 7})
        assert names(opened["ports"]["sub"]["outputs"]) == ["big"]
        nodes = CHILD["nodes"] | {"out": {"type": "core.output", "inputs": {"name": "large"}}}
        await draw(ada, child, CHILD | {"nodes": nodes})
        await until(lambda: heard and names(heard[-1]["ports"]["sub"]["outputs"]) == ["large"])
        assert heard[-1]["canvas"] == parent
    finally:
        await socket.disconnect()


@pytest.mark.rule("N4")
async def test_live_mode_runs_what_a_changed_child_is_part_of(served: House) -> None:
    ada = await served.person("ada")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    socket = socketio.AsyncClient()
    done: list[Any] = []
    socket.on(
        "run.events",
        lambda said: done.extend(e for e in said["events"] if e["kind"] == "node.done"),
    )
    await socket.connect(
        served.origin, auth={"token": ada.token}, transports=["websocket"], wait_timeout=30
    )
    try:
        await socket.call("canvas.open", {"canvas": parent, "client_id": 7})
        played = await socket.call("runs.play", {"canvas": parent})
        assert played["ok"], played
        await until(lambda: {"big": True} in outputs_of(done, "sub"))
        compare = CHILD["nodes"]["big"] | {"inputs": {"operator": "is greater than", "right": 9}}
        await draw(ada, child, CHILD | {"nodes": CHILD["nodes"] | {"big": compare}})
        await until(lambda: {"big": False} in outputs_of(done, "sub"))
    finally:
        await socket.disconnect()


@pytest.mark.rule("N5")
async def test_spells_that_run_each_other_are_refused_by_their_path(served: House) -> None:
    ada = await served.person("ada")
    first = await canvas(ada, CHILD)
    second = await canvas(ada, parent_of(first))
    await draw(ada, first, parent_of(second))
    refused = await run(ada, second)
    assert refused["error"]["code"] == "recursive_spell"
    problem = refused["error"]["details"]["problems"][0]
    assert problem["details"]["path"] == [second, first, second]


@pytest.mark.rule("N3")
async def test_the_events_of_one_iteration_are_read_by_page(served: House) -> None:
    ada = await served.person("ada")
    child = await canvas(ada, CHILD)
    spell = parent_of(child)
    spell["nodes"]["list"] = {"type": "core.range", "inputs": {"start": 0, "end": 60}}
    spell["edges"]["e"] = {"source": "list", "output": "items", "target": "sub", "input": "n"}
    left = await run(ada, await canvas(ada, spell))
    assert left["outputs"]["sub"]["big"] == [number > 2 for number in range(60)]
    path = f"/v1/runs/{left['id']}/events"
    one = (await ada.get(path, params={"node": "sub[3]"})).body["events"]
    assert {event["node"] for event in one} == {"sub[3]/n", "sub[3]/big", "sub[3]/out"}
    seen, after, more = [], 0, True
    while more:
        query = {"node": "sub", "after_seq": str(after), "limit": "50"}
        page = (await ada.get(path, params=query)).body
        seen += [event["node"] for event in page["events"]]
        after, more = page["seq"], page["more"]
    told = {node for node in seen if "[" in node}
    assert "sub[49]/big" in told
    assert "sub[50]/big" not in told
    assert "list" not in seen
    assert (await ada.get(path, params={"node": "su"})).body["events"] == []


@pytest.mark.rule("G6", "13.14")
async def test_a_cancel_reaches_the_nodes_of_children_within_a_second(served: House) -> None:
    ada = await served.person("ada")
    waiting = {"name": "Waiting", "nodes": {"w": {"type": "core.wait", "inputs": {"seconds": 600}}}}
    child = await canvas(ada, waiting)
    parent = await canvas(ada, parent_of(await canvas(ada, parent_of(child))))
    run_id = (await ada.post("/v1/runs", {"canvas": parent})).body["id"]
    path = f"/v1/runs/{run_id}/events"

    async def waits() -> bool:
        said = (await ada.get(path, params={"node": "sub/sub/w"})).body["events"]
        return any(event["kind"] == "node.waiting" for event in said)

    async with asyncio.timeout(60):
        while not await waits():
            await asyncio.sleep(0.01)
    begun = asyncio.get_running_loop().time()
    cancelled = await ada.post(f"/v1/runs/{run_id}/cancel")
    assert cancelled.body["status"] == "cancelled"
    assert asyncio.get_running_loop().time() - begun < 1


@pytest.mark.rule("N1")
async def test_a_child_that_comes_while_a_run_is_prepared_is_found_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits: list[Callable[[], Awaitable[None]]] = []
    packages = Workers.packages

    async def slow(self: Workers, canvas: str | None) -> str:
        while edits:
            await edits.pop()()
        return await packages(self, canvas)

    monkeypatch.setattr(Workers, "packages", slow)
    async with house(tmp_path) as served:
        ada = await served.person("ada")
        child = await canvas(ada, CHILD)
        plain = {"name": "Plain", "nodes": {"v": {"type": "core.value"}}, "edges": {}}
        parent = await canvas(ada, plain)
        assert (await run(ada, parent))["status"] == "completed"
        edits.append(lambda: draw(ada, parent, parent_of(child, n=5)))
        for _ in range(2):
            left = await run(ada, parent)
            assert left["outputs"] == {"sub": {"big": True}}, left


def names(ports: list[dict[str, Any]]) -> list[str]:
    return [port["name"] for port in ports]


def outputs_of(events: list[Any], node: str) -> list[Any]:
    return [event["outputs"] for event in events if event["node"] == node]
