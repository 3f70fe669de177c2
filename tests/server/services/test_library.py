"""The node library, model servers, health, and the documents that describe it all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spellwork import NodeError
from tests.server.services.house import HELLO, House, house

pytestmark = pytest.mark.anyio


async def test_the_library_lists_types_with_their_ports(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        library = (await ada.get("/v1/nodes")).body
        types = {each["type"]: each for each in library["items"]}
        assert {"core.value", "core.template", "code.python"} <= set(types)
        assert types["core.value"]["outputs"][0]["name"] == "value"
        assert "core" in {each["name"] for each in library["packs"]}


async def test_the_ports_of_a_node_may_depend_on_its_code(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        node = {"type": "code.python", "code": "x * y"}
        ports = (await ada.post("/v1/nodes/ports", {"node": node})).body
        assert [each["name"] for each in ports["inputs"]] == ["x", "y"]
        answer = await ada.post("/v1/nodes/ports", {"node": {"type": "core.valu"}})
        assert (answer.status, answer.code) == (404, "unknown_node_type")
        assert "core.value" in answer.body["error"]["details"]["known"]


async def test_a_spell_is_looked_over_without_running(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        answer = await ada.post("/v1/nodes/validate", {"spell": HELLO})
        assert answer.body == {"problems": []}
        back = {"source": "b", "output": "value", "target": "a", "input": "value"}
        cycle = HELLO | {"edges": HELLO["edges"] | {"back": back}}
        problems = (await ada.post("/v1/nodes/validate", {"spell": cycle})).body["problems"]
        assert "cycle" in {each["code"] for each in problems}


# Model servers


@dataclass
class Model:
    name: str
    size: int | None = 7
    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None


@dataclass
class Progress:
    status: str
    completed: int | None = None
    total: int | None = None
    fraction: float | None = None


class Server:
    url = "http://models.test"

    async def list_models(self) -> list[Model]:
        return [Model("smol")]

    async def pull(self, name: str) -> AsyncIterator[Progress]:
        if name == "missing":
            raise NodeError("there is no such model", code="model_not_found")
        yield Progress("downloading", 1, 2, 0.5)


@asynccontextmanager
async def opens(kind: str) -> AsyncIterator[Server]:
    yield Server()


@asynccontextmanager
async def unreachable(kind: str) -> AsyncIterator[Server]:
    if kind:
        raise NodeError("no server answers", code="model_unreachable", details={"url": "http://x"})
    yield Server()


async def test_models_are_listed_by_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "spellwork_server.assembly.operations.installed_model_servers", lambda: opens
    )
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        [server] = (await ada.get("/v1/models")).body["items"]
        assert (server["kind"], server["url"], server["reachable"]) == (
            "ollama",
            "http://models.test",
            True,
        )
        assert server["models"][0]["name"] == "smol"


async def test_a_model_server_that_does_not_answer_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "spellwork_server.assembly.operations.installed_model_servers", lambda: unreachable
    )
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        [server] = (await ada.get("/v1/models")).body["items"]
        assert not server["reachable"]
        assert server["error"]["code"] == "model_unreachable"
        assert server["url"] == "http://x"


async def test_a_download_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "spellwork_server.assembly.operations.installed_model_servers", lambda: opens
    )
    async with house(tmp_path) as h:
        root, ada = await h.person("root", role="admin"), await h.person("ada")
        answer = await root.post("/v1/models/pull", {"model": "smol"})
        assert (answer.status, answer.body["done"]) == (200, True)
        stream = {"Accept": "text/event-stream"}
        followed = await root.post("/v1/models/pull", {"model": "smol"}, headers=stream)
        assert '"fraction":0.5' in followed.body
        assert '"done":true' in followed.body
        missing = await root.post("/v1/models/pull", {"model": "missing"})
        assert (missing.status, missing.code) == (502, "model_not_found")
        assert (await ada.post("/v1/models/pull", {"model": "smol"})).status == 403


# Health and documents


async def test_health_is_open_and_names_nothing_private(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        answer = await h.stranger().get("/healthz")
        assert (answer.status, answer.body["status"]) == (200, "ok")
        h.parts.stores.commits.failing = "the disk is full"
        assert (await h.stranger().get("/healthz")).body["status"] == "degraded"
        h.parts.health.stopping = True
        assert (await h.stranger().get("/healthz")).status == 503


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolve(document: Any, reference: str) -> Any:
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


async def described(h: House, path: str) -> Any:
    answer = await h.stranger().get(path)
    assert answer.status == 200
    for reference in references({k: v for k, v in answer.body.items() if k != "examples"}):
        assert reference.startswith("#/"), reference
        assert resolve(answer.body, reference) is not None
    return answer.body


async def test_the_openapi_document_has_every_route(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        document = await described(h, "/openapi.json")
        assert document["openapi"].startswith("3.1")
        described_routes = {
            (method.upper(), path, entry["operationId"])
            for path, entries in document["paths"].items()
            for method, entry in entries.items()
        }
        mounted = {
            (*each.rest, each.name) for each in h.parts.registry.operations.values() if each.rest
        }
        hooks = {("POST", "/v1/hooks/{id}", "hooks.fire")}
        assert described_routes == mounted | hooks
        for method in ("get", "post"):
            assert document["paths"]["/v1/task-links/{token}"][method]["security"] == []
        hook = document["paths"]["/v1/hooks/{id}"]["post"]
        assert {"200", "202", "401", "409", "429"} <= set(hook["responses"])
        assert {each["name"] for each in hook["parameters"]} >= {"id", "webhook-signature"}
        login = document["paths"]["/v1/auth/login"]["post"]
        assert login["security"] == []
        runs = document["paths"]["/v1/runs/{id}/events"]["get"]
        assert "text/event-stream" in runs["responses"]["200"]["content"]
        names = {each["name"]: each["in"] for each in runs["parameters"]}
        assert (names["id"], names["after_seq"]) == ("path", "query")


async def test_the_asyncapi_document_has_every_event_of_both_sides(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        document = await described(h, "/asyncapi.json")
        assert document["asyncapi"].startswith("3.")
        registry = h.parts.registry
        events = {each.name for each in registry.operations.values() if each.socket}
        assert events | set(registry.announcements) == set(document["channels"])
        assert {"canvas.update", "runs.create", "events.resume", "run.events"} <= set(
            document["channels"]
        )
        sent = {name for name, each in document["operations"].items() if each["action"] == "send"}
        assert sent == {f"send.{name}" for name in registry.announcements}
