"""Each canvas has a worker with the packages it requires; editors steer it, and everybody there sees how it is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork_server.identity.keys import make_api_key
from tests.server.services.house import Caller, House, house
from tests.workers.wheels import write_wheel

pytestmark = pytest.mark.anyio

VERSION = "import spam\nspam.VERSION"


def drawn(code: str, requirements: dict[str, str] | None = None) -> dict[str, Any]:
    nodes = {
        "c": {"type": "code.python", "code": code},
        "v": {"type": "core.value", "inputs": {"value": 1}},
    }
    return {"nodes": nodes, "edges": {}} | ({"requirements": requirements} if requirements else {})


async def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)


async def run(person: Caller, canvas: str) -> dict[str, Any]:
    """Run a canvas to its end."""
    started = await person.post("/v1/runs", {"canvas": canvas, "wait": 60})
    assert started.status < 300, started.body
    assert started.body["status"] == "completed", started.body
    return dict(started.body)


async def result(person: Caller, canvas: str) -> Any:
    return (await run(person, canvas))["outputs"]["c"]["result"]


async def canvas_of(person: Caller, *what: Any) -> str:
    made = await person.post("/v1/canvases", {"spell": drawn(*what)})
    return str(made.body["id"])


@asynccontextmanager
async def site(folder: Path, **options: Any) -> AsyncIterator[House]:
    """A server whose packages come from wheels in a folder."""
    wheels = folder / "wheels"
    write_wheel(wheels, "spam", "1.0")
    write_wheel(wheels, "spam", "2.0", requires=("eggs",))
    write_wheel(wheels, "eggs", "1.5")
    async with house(folder, no_index=True, find_links=(str(wheels),), **options) as h:
        yield h


@asynccontextmanager
async def tab(h: House, person: Caller, canvas: str) -> AsyncIterator[list[tuple[str, Any]]]:
    """Open a canvas over a socket; give what it hears of workers."""
    client = socketio.AsyncClient(reconnection=False)
    heard: list[tuple[str, Any]] = []
    for event in ("worker.changed", "worker.lines", "canvas.problems"):
        client.on(event, lambda data, event=event: heard.append((event, data)))
    await client.connect(
        h.origin, auth={"token": person.token}, transports=["websocket"], wait_timeout=30
    )
    try:
        answer = await client.call("canvas.open", {"canvas": canvas, "client_id": 7})
        assert answer["ok"], answer
        yield heard
    finally:
        await client.disconnect()


@pytest.mark.rule("W1", "W2", "W4", "W5", "W6")
async def test_a_canvas_has_the_packages_it_requires(tmp_path: Path) -> None:
    async with site(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada, VERSION, {"spam": "<2"})
        path = f"/v1/workers/{canvas}"
        assert await result(ada, canvas) == "1.0"
        worker = (await ada.get(path)).body
        assert (worker["id"], worker["kind"], worker["state"]) == (canvas, "canvas", "ready")
        assert worker["environment"]["requirements"] == {"spam": "<2"}
        lock = (await ada.get(f"{path}/lock")).body["lock"]
        assert lock.startswith("spam==1.0 ")
        texts = [line["text"] for line in (await ada.get(f"{path}/logs")).body["lines"]]
        assert "Resolving" in texts
        assert " + spam==1.0" in texts
        found = (await ada.get(f"/v1/workers?canvas={canvas}")).body
        assert [each["id"] for each in found["items"]] == [found["current"]] == [canvas]

        await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"spam": ">=3"}})
        failed = await run(ada, canvas)
        assert failed["errors"]["c"]["code"] == "environment_failed"
        assert failed["errors"]["c"]["details"] == {"requirements": ["spam"]}
        assert failed["outputs"]["v"] == {"value": 1}
        worker = (await ada.get(path)).body
        assert worker["state"] == "failed"
        assert "spam" in worker["faults"]

        await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"spam": ""}})
        assert await result(ada, canvas) == "2.0"

    # a newer version is there, but what was locked stays locked, until somebody looks anew
    write_wheel(tmp_path / "wheels", "spam", "2.5")
    async with site(tmp_path) as h:
        _, ada.token = await make_api_key(h.parts.stores.api_keys, ada.user.id, "again")  # type: ignore[union-attr]
        again = h.stranger()
        again.token = ada.token
        code = f"{VERSION} + ''"
        await again.patch(f"/v1/canvases/{canvas}/spell", {"nodes": drawn(code)["nodes"]})
        assert await result(again, canvas) == "2.0"
        assert (await again.post(f"{path}/provision", {"anew": True})).status == 200
        assert "spam==2.5" in (await again.get(f"{path}/lock")).body["lock"]
        assert await result(again, canvas) == "2.5"


@pytest.mark.rule("18.33", "W14")
async def test_what_other_packages_gave_is_never_taken_for_what_these_would(tmp_path: Path) -> None:
    async with site(tmp_path, grace=60) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada, VERSION, {"spam": ""})

        async def said() -> tuple[Any, ...]:
            done = await run(ada, canvas)
            return done["outputs"]["c"]["result"], done["why"]["c"], done["why"]["v"]

        assert await said() == ("2.0", "new", "new")
        assert await said() == ("2.0", "cached", "cached")  # what it locked it had been named by
        write_wheel(tmp_path / "wheels", "spam", "2.5")
        provision = f"/v1/workers/{canvas}/provision"
        assert (await ada.post(provision, {"anew": True})).status == 200
        assert await said() == ("2.5", "packages changed", "cached")
        assert (await ada.post(provision, {"anew": True})).status == 200
        assert await said() == ("2.5", "cached", "cached")  # the same again
        await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"spam": "<2"}})
        assert await said() == ("1.0", "packages changed", "cached")
        await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"spam": ""}})
        assert await said() == ("2.5", "packages changed", "cached")

        write_wheel(tmp_path / "wheels", "spam", "2.6")
        live = {"canvas": canvas, "mode": "live", "wait": 60}
        assert (await ada.post("/v1/runs", live)).body["outputs"]["c"] == {"result": "2.5"}
        assert (await ada.post(provision, {"anew": True})).status == 200

        async def is_new() -> bool:
            newest = (await ada.get(f"/v1/runs?canvas={canvas}&limit=1")).body["items"][0]
            left = (await ada.get(f"/v1/runs/{newest['id']}?wait=30")).body
            return bool(left["outputs"].get("c") == {"result": "2.6"})

        await until(is_new)


@pytest.mark.rule("W3", "W5", "W8")
async def test_tabs_see_how_the_worker_is(tmp_path: Path) -> None:
    async with site(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada, VERSION)
        other = await canvas_of(ada, "1 + 1")
        async with tab(h, ada, canvas) as heard:

            def states() -> list[str]:
                return [data["state"] for event, data in heard if event == "worker.changed"]

            await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"spam": "<2"}})
            await until(lambda: "provisioning" in states())
            await until(
                lambda: any(
                    line["text"] == " + spam==1.0"
                    for event, data in heard
                    if event == "worker.lines"
                    for line in data["lines"]
                )
            )
            assert await result(ada, canvas) == "1.0"
            await until(lambda: states()[-1:] == ["ready"])
            stopped = await ada.post(f"/v1/workers/{canvas}/stop")
            assert stopped.body["state"] == "stopped"
            await until(lambda: states()[-1:] == ["stopped"])
            changed = drawn(f"{VERSION} * 2")["nodes"]
            await ada.patch(f"/v1/canvases/{canvas}/spell", {"nodes": changed})
            assert (await run(ada, canvas))["errors"]["c"]["code"] == "worker_stopped"
            assert await result(ada, other) == 2
            started = await ada.post(f"/v1/workers/{canvas}/start")
            assert started.body["state"] == "ready"
            assert await result(ada, canvas) == "1.01.0"
            before = started.body["restarts"]
            again = await ada.post(f"/v1/workers/{canvas}/restart")
            assert (again.body["state"], again.body["restarts"]) == ("ready", before + 1)

            await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"nowhere": ""}})
            problem = await until(
                lambda: next(
                    (
                        each
                        for event, data in heard
                        if event == "canvas.problems"
                        for each in data["problems"]
                        if each["code"] == "environment_failed"
                    ),
                    None,
                )
            )
            assert problem["details"] == {"requirements": ["nowhere"]}
            heard.clear()
            await ada.patch(f"/v1/canvases/{canvas}/spell", {"requirements": {"nowhere": None}})
            await until(
                lambda: any(
                    event == "canvas.problems" and not data["problems"] for event, data in heard
                )
            )


@pytest.mark.rule("W7", "W9", "W10")
async def test_canvases_share_a_worker(tmp_path: Path) -> None:
    async with site(tmp_path) as h:
        root = await h.person("root", "admin")
        ada, bob = await h.person("ada"), await h.person("bob")
        shut = (await root.post("/v1/workers", {"name": "Shut"})).body["id"]
        wrong = await root.post("/v1/workers", {"name": "x", "requirements": {"spam": "newest"}})
        assert wrong.code == "bad_request"
        made = await root.post(
            "/v1/workers",
            {
                "name": "Open",
                "open": True,
                "requirements": {"spam": ""},
                "limits": {"memory_mb": 600},
            },
        )
        shared = made.body["id"]
        assert made.body["limits"]["memory_mb"] == 600
        assert made.body["own_limits"] == {"memory_mb": 600}
        bounds = (await root.get("/v1/workers")).body["bounds"]
        assert bounds["processes"] == {"least": 1, "most": 16, "whole": True, "usual": 1}
        memory = bounds["limits"]["memory_mb"]
        assert (memory["least"], memory["whole"]) == (64, True)
        for value, told in ((memory["least"] - 1, 400), (memory["least"], 200)):
            change = {"limits": {"memory_mb": value, "files_mb": None}}
            changed = await root.patch(f"/v1/workers/{shared}", change)
            assert changed.status == told
        assert changed.body["own_limits"] == {"memory_mb": 64}
        # Python takes more room than that.
        await root.patch(f"/v1/workers/{shared}", {"limits": {"memory_mb": 600}})
        hers, his = await canvas_of(ada, "import os\nos.getpid()"), await canvas_of(bob, VERSION)
        listed = (await ada.get(f"/v1/workers?canvas={hers}")).body
        assert [each["id"] for each in listed["items"]] == [hers, shared]
        assert (await ada.patch(f"/v1/canvases/{hers}", {"worker": shut})).code == "not_found"
        for person, canvas in ((ada, hers), (bob, his)):
            assert (await person.patch(f"/v1/canvases/{canvas}", {"worker": shared})).status == 200
        assert await result(bob, his) == "2.0"
        await run(ada, hers)
        assert (await root.get(f"/v1/workers/{shared}")).body["metrics"]["calls"] == 2
        for ask in ("stop", "restart", "provision"):
            assert (await ada.post(f"/v1/workers/{shared}/{ask}")).code == "forbidden"
        assert (await ada.get(f"/v1/workers/{shared}/logs")).code == "forbidden"

        # who chose a shut one is no administrator any more
        eve = await h.person("eve", "admin")
        eves = await canvas_of(eve, "1 + 1")
        assert (await eve.patch(f"/v1/canvases/{eves}", {"worker": shut})).status == 200
        assert await result(eve, eves) == 2
        user = f"/v1/users/{eve.user.id}"  # type: ignore[union-attr]
        assert (await root.patch(user, {"role": "member"})).status == 200
        await eve.patch(f"/v1/canvases/{eves}/spell", {"nodes": drawn("2 + 2")["nodes"]})
        assert (await run(eve, eves))["errors"]["c"]["code"] == "worker_not_allowed"

        # who chose it may not use it any more
        assert (await root.patch(f"/v1/workers/{shared}", {"open": False})).status == 200
        await bob.patch(f"/v1/canvases/{his}/spell", {"nodes": drawn(f"{VERSION} * 2")["nodes"]})
        assert (await run(bob, his))["errors"]["c"]["code"] == "worker_not_allowed"
        assert (await root.delete(f"/v1/workers/{shared}")).status == 200
        assert (await bob.get(f"/v1/workers?canvas={his}")).body["current"] == his
        await bob.patch(f"/v1/canvases/{his}/spell", {"nodes": drawn("2 + 2")["nodes"]})
        assert await result(bob, his) == 4

        # with a canvas goes its worker
        assert h.parts.running.workers.pids[his]
        assert (await bob.delete(f"/v1/canvases/{his}")).status == 200
        await until(lambda: his not in h.parts.running.workers.pids)
        assert (await bob.get(f"/v1/workers/{his}")).code == "not_found"


@pytest.mark.rule("W11")
async def test_metrics_are_for_this_machine_and_for_administrators(tmp_path: Path) -> None:
    async with site(tmp_path) as h:
        root, ada = await h.person("root", "admin"), await h.person("ada")
        canvas = await canvas_of(ada, "1")
        await run(ada, canvas)
        text = (await h.stranger().get("/metrics")).body
        assert f'spellwork_worker_calls_total{{worker="{canvas}",kind="canvas"}} 1\n' in text
        line = re.compile(r'(# (HELP|TYPE) \w+ .+|\w+\{(\w+="\w*",?)+\} [0-9.e+-]+)')
        assert all(line.fullmatch(each) for each in text.splitlines())
        through = {"X-Forwarded-For": "203.0.113.9"}
        assert (await h.stranger().get("/metrics", headers=through)).status == 401
        assert (await ada.get("/metrics", headers=dict(through))).status == 403
        assert (await root.get("/metrics", headers=dict(through))).status == 200
        session = await h.signed_in("eve")
        assert (await session.get("/metrics", headers=dict(through))).status == 403
