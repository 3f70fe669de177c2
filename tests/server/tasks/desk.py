"""A server with a canvas whose runs ask people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.server.services.house import Answer, Caller, House, house

PATIENCE = 30.0


def spell(type: str, inputs: Mapping[str, Any], out: str) -> dict[str, Any]:
    """A value, a node that asks, and a node that takes what comes of it."""
    return {
        "schema": 1,
        "name": "Asking",
        "nodes": {
            "a": {"type": "core.value", "inputs": {"value": {"sum": 12}}, "position": [0, 0]},
            "ask": {"type": type, "inputs": dict(inputs), "position": [240, 0]},
            "z": {"type": "core.value", "position": [480, 0]},
        },
        "edges": {
            "out": {"source": "ask", "output": out, "target": "z", "input": "value"},
            **(
                {"in": {"source": "a", "output": "value", "target": "ask", "input": "value"}}
                if type == "people.approval"
                else {}
            ),
        },
    }


def approval(**inputs: Any) -> dict[str, Any]:
    return spell("people.approval", {"title": "Send it?"} | inputs, "approved")


FIELDS = [
    {"name": "customer", "least": 2},
    {"name": "amount", "type": "number", "least": 1, "most": 10},
    {"name": "express", "type": "boolean"},
    {"name": "size", "type": "choice", "options": ["S", "L"], "default": "S"},
    {"name": "day", "type": "date", "required": False},
]


class Desk:
    """Ada's canvas, on a server, and her runs of it."""

    def __init__(self, h: House, ada: Caller, canvas: str) -> None:
        self.house = h
        self.ada = ada
        self.canvas = canvas

    async def member(self, name: str, role: str) -> Caller:
        person = await self.house.person(name)
        await self.put(person, role)
        return person

    async def put(self, person: Caller, role: str) -> None:
        assert person.user is not None
        body = {"email": person.user.email, "role": role}
        assert (await self.ada.put(f"/v1/canvases/{self.canvas}/members", body)).status == 200

    async def run(self, by: Caller | None = None, **fields: Any) -> str:
        body = {"canvas": self.canvas, "on_busy": "parallel"} | fields
        answer = await (by or self.ada).post("/v1/runs", body)
        assert answer.status in (200, 201, 202), answer.body
        return str(answer.body["id"])

    async def asks(self, run: str, by: Caller | None = None) -> dict[str, Any]:
        """Wait until a run asks, and rests; return the task."""
        found: list[dict[str, Any]] = []

        async def asked() -> bool:
            found[:] = (await (by or self.ada).get(f"/v1/tasks?run={run}")).body["items"]
            return bool(found)

        await until(asked)
        return found[0]

    async def answer(self, task: str, answer: Any, by: Caller | None = None) -> Answer:
        return await (by or self.ada).post(f"/v1/tasks/{task}/answer", {"answer": answer})

    async def ended(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        async def has_ended() -> bool:
            found.update((await self.ada.get(f"/v1/runs/{run}")).body)
            return found["status"] in ("completed", "failed", "cancelled")

        await until(has_ended)
        return found

    async def rests(self, run: str) -> None:
        async def waiting() -> bool:
            return bool((await self.ada.get(f"/v1/runs/{run}")).body["status"] == "waiting")

        await until(waiting)

    async def events(self, run: str, node: str) -> list[str]:
        page = (await self.ada.get(f"/v1/runs/{run}/events")).body["events"]
        return [each["kind"] for each in page if each.get("node") == node]


async def until(done: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await done():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def desk(folder: Path, asking: Mapping[str, Any], **settings: Any) -> AsyncIterator[Desk]:
    async with house(folder, **settings) as h:
        ada = await h.person("ada")
        made = await ada.post("/v1/canvases", {"name": "Orders", "spell": dict(asking)})
        assert made.status == 201, made.body
        yield Desk(h, ada, made.body["id"])
