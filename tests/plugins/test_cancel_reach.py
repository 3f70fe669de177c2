"""A cancel, and the end of a run's time, reach whatever a node waits for, at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spellwork import Event, Execution, Library, Limits, Spell, compile
from spellwork.workers import WorkerPool
from tests.spells import nodes as test_nodes

pytestmark = pytest.mark.anyio

LIBRARY = Library([*Library.installed().packs, *test_nodes.library.packs])


class SlowModel:
    """A server that speaks as Ollama does, and never comes to an end."""

    def __init__(self) -> None:
        self.open = 0

    async def generate(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        self.open += 1
        try:
            while True:
                line = {"model": "m", "response": "word ", "done": False}
                await response.write(json.dumps(line).encode() + b"\n")
                await asyncio.sleep(0.01)
        finally:
            self.open -= 1


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowModel]:
    slow = SlowModel()
    app = web.Application()
    app.add_routes([web.post("/api/generate", slow.generate)])
    async with TestServer(app) as server:
        monkeypatch.setenv("SPELLWORK_OLLAMA_URL", str(server.make_url("")).rstrip("/"))
        yield slow


def drawn(kind: str) -> dict[str, Any]:
    """Return the nodes of a spell that waits for one kind of thing."""
    wait = {"type": "t.wait", "inputs": {"seconds": 60}}
    kinds: dict[str, dict[str, Any]] = {
        "a node": {"n": wait},
        "a thread": {"n": {"type": "t.block"}},
        "a worker": {"n": {"type": "code.python", "code": "import time\ntime.sleep(60)\n1"}},
        "a provider's stream": {
            "n": {"type": "llm.generate", "inputs": {"prompt": "x", "model": "m"}}
        },
        "a limit": {"n": {**wait, "settings": {"limits": {"delay": 60}}}},
        "a back-off": {
            "n": {"type": "t.fail", "settings": {"retries": 3, "backoff": 60}},
        },
        "a nested run": {
            "n": {
                "type": "core.map",
                "inputs": {"items": [1, 2, 3], "input": "value"},
                "settings": {"body": {"type": "t.wait"}},
            }
        },
    }
    return kinds[kind]


KINDS = (
    "a node",
    "a thread",
    "a worker",
    "a provider's stream",
    "a limit",
    "a back-off",
    "a nested run",
)


def is_waiting(kind: str, events: list[Event], model: SlowModel) -> bool:
    if kind == "a provider's stream":
        return model.open == 1
    signs = {"a limit": "node.waiting", "a back-off": "node.log"}
    return any(event.kind == signs.get(kind, "node.started") for event in events)


@pytest.mark.rule("6.1", "14.11", "14.12")
@pytest.mark.parametrize("by", ["cancel", "time"])
@pytest.mark.parametrize("kind", KINDS)
async def test_it_ends_at_once(kind: str, by: str, model: SlowModel) -> None:
    events: list[Event] = []
    spell = Spell.model_validate({"nodes": drawn(kind)})
    async with WorkerPool(size=1, memory_mb=512) as pool:
        before = asyncio.all_tasks()
        execution = Execution(
            compile(spell, LIBRARY),
            sink=events.append,
            executors={"worker": pool},
            limits=Limits(seconds=0.4 if by == "time" else None),
        )
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(execution.run())
            async with asyncio.timeout(60):
                while by == "cancel" and not is_waiting(kind, events, model):
                    await asyncio.sleep(0.002)
            began = time.monotonic()
            if by == "cancel":
                execution.cancel()
        assert time.monotonic() - began < 20, "what it waits for takes a minute"
        result = running.result()
        assert result.status == ("cancelled" if by == "cancel" else "failed")
        if by == "time":
            assert result.error is not None
            assert result.error.code == "run_timeout"
        async with asyncio.timeout(60):
            while model.open or asyncio.all_tasks() - before:
                await asyncio.sleep(0.005)


@pytest.mark.rule("6.1")
async def test_a_worker_whose_cell_was_cancelled_is_there_for_the_next(tmp_path: Any) -> None:
    async with WorkerPool(size=1, memory_mb=512) as pool:
        for code, seconds in (("import time\ntime.sleep(60)\n1", 0.3), ("40 + 2", None)):
            spell = Spell.model_validate({"nodes": {"n": {"type": "code.python", "code": code}}})
            limits = Limits(seconds=seconds)
            execution = Execution(
                compile(spell, LIBRARY), executors={"worker": pool}, limits=limits
            )
            result = await asyncio.wait_for(execution.run(), 60)
        assert list(result.outputs["n"].values()) == [42]
