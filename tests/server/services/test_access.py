"""Every operation and route, enumerated: without authentication each that is not public answers 401."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spellwork_server.errors import Unauthenticated
from spellwork_server.serve import PUBLIC_OPERATIONS
from spellwork_server.services.service import Call
from tests.server.services.house import house

pytestmark = pytest.mark.anyio

OPEN_ROUTES = {
    "/",
    "/healthz",
    "/openapi.json",
    "/v1/hooks/{id}",
    "/asyncapi.json",
    "/canvas/{canvas}",
    "/canvas/{canvas}/",
    "/{file}",
    "/assets/{file}",
    "/socket.io/",
    "/v1/canvases/{id}/sync",
    "/v1/external-workers/connect",
    "/metrics",
}
"""Documents, the client's files, metrics, and the sockets, which authenticate by themselves."""


async def test_only_proving_who_one_is_is_public(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        public = {each.name for each in h.parts.registry.operations.values() if each.public}
        assert public == PUBLIC_OPERATIONS


async def test_every_route_is_an_operation_or_listed_here(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        operations = {
            (each.rest[0], each.rest[1])
            for each in h.parts.registry.operations.values()
            if each.rest
        }
        for route in h.server.app.router.routes():
            path = route.resource.canonical if route.resource else ""
            known = (route.method, path) in operations or path in OPEN_ROUTES
            assert known, f"{route.method} {path} is neither an operation nor listed"


async def test_every_operation_refuses_nobody_before_it_reads_the_payload(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for operation in h.parts.registry.operations.values():
            if not operation.public:
                with pytest.raises(Unauthenticated):
                    await h.parts.registry.run(operation, {"no": "such field"}, Call(None))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "unauthenticated"),
        ("Bearer rubbish", "token_invalid"),
        ("Bearer sw_rubbish", "token_invalid"),
        ("Basic YTpi", "token_invalid"),
        ("Bearer", "token_invalid"),
    ],
)
async def test_every_route_answers_401_without_a_good_proof(
    tmp_path: Path, header: str | None, code: str
) -> None:
    async with house(tmp_path) as h:
        stranger = h.stranger()
        headers = {"Authorization": header} if header else {}
        for operation in h.parts.registry.operations.values():
            if operation.rest is None or operation.public:
                continue
            method, path = operation.rest
            answer = await stranger.call(method, re.sub(r"{[^}]*}", "x", path), headers=headers)
            assert (answer.status, answer.code) == (401, code), operation.name
            assert answer.headers["WWW-Authenticate"] == "Bearer"
