"""Spells as files over REST and sockets: every form out and in, and files that are none refused."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork import Spell, formats, read_spell
from spellwork.reading import read_bytes
from spellwork_server.services.spell_forms import APART
from tests.server.services.house import HELLO, Caller, House, house

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def asking(h: House, person: Caller) -> AsyncIterator[Any]:
    """Open a socket of a person's; give what asks an operation over it."""
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(
        h.origin, auth={"token": person.token}, transports=["websocket"], wait_timeout=30
    )

    async def ask(event: str, fields: dict[str, Any]) -> Any:
        answer = await client.call(event, fields)
        assert answer["ok"], answer
        return answer

    try:
        yield ask
    finally:
        await client.disconnect()


@pytest.mark.rule("D7", "D8")
async def test_a_canvas_is_got_in_every_form_and_read_back(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        made = await ada.post("/v1/canvases", {"spell": HELLO | {"name": "Hé/llo"}})
        path = f"/v1/canvases/{made.body['id']}/spell"
        headers = {"Authorization": f"Bearer {ada.token}"} if ada.token else {}
        for form in formats.FORMS:
            answer = await ada.client.get(f"{path}?as={form}", headers=headers)
            content = await answer.read()
            assert answer.status == 200, content
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert read_bytes(content, "x").to_json() == HELLO | {"name": "Hé/llo"}
            sent = {"data": base64.b64encode(content).decode(), "name": "x"}
            read = await ada.post("/v1/spells/read", sent)
            assert read.body["spell"] == HELLO | {"name": "Hé/llo"}
            assert read.body["form"] == ("yaml" if form == "manifest" else form)
            assert read.body["problems"] == []
        assert (await ada.get(path)).body["name"] == "Hé/llo"
        assert (await ada.get(f"{path}?as=xml")).code == "bad_request"


@pytest.mark.rule("D8")
@pytest.mark.parametrize(
    ("sent", "code", "place"),
    [
        ({"text": "nodes: [", "name": "a.yaml"}, "format_invalid", None),
        ({"text": "a: 1\na: 2\n", "name": "a.yaml"}, "format_invalid", {"line": 2, "column": 1}),
        ({"text": "import os\n", "name": "a.py"}, "format_invalid", {"line": 1, "column": 1}),
        ({"text": "{", "name": "a.json"}, "format_invalid", {"line": 1, "column": 2}),
        ({"text": "{}", "as": "ir"}, "format_invalid", None),
        ({"text": '{"nodes": 3}'}, "spell_unreadable", None),
        ({"data": "g6Jpcg=="}, "format_invalid", None),
        ({"data": "%%"}, "bad_request", None),
        ({"text": "\ud800"}, None, None),
        ({}, "bad_request", None),
        ({"text": "{}", "data": ""}, "bad_request", None),
        ({"text": "{}", "as": "xml"}, "bad_request", None),
    ],
)
async def test_a_file_that_holds_no_spell_is_refused(
    tmp_path: Path, sent: dict[str, Any], code: str | None, place: dict[str, int] | None
) -> None:
    async with house(tmp_path) as h:
        answer = await (await h.person("ada")).post("/v1/spells/read", sent)
        assert answer.status == 400
        assert code in (None, answer.code)
        if place:
            assert place.items() <= answer.body["error"]["details"].items()


@pytest.mark.rule("D8")
async def test_what_is_read_tells_its_problems(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        text = "nodes:\n  a:\n    type: no.such\n"
        answer = await (await h.person("ada")).post("/v1/spells/read", {"text": text})
        assert [each["code"] for each in answer.body["problems"]] == ["unknown_node_type"]


@pytest.mark.rule("D8")
async def test_a_large_file_is_read_by_a_process_of_its_own(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        nodes = {f"n{n}": {"type": "core.value", "inputs": {"value": "x" * 90}} for n in range(900)}
        large = Spell.model_validate({"name": "Large", "nodes": nodes})
        for form in ("python", "yaml"):
            text = formats.write(large, form).decode()
            assert len(text) > APART
            answer = await ada.post("/v1/spells/read", {"text": text, "as": form})
            assert answer.body["spell"] == large.to_json()
        for text, said in (
            ("import os\n" + "#" * APART, "line 1, column 1"),
            ("x = " + "-" * APART + "1", "nests too deep"),
            ("[" * APART, "-c : "),
        ):
            sent = {"text": text, "as": "python", "name": "-c\x00"}
            refused = await ada.post("/v1/spells/read", sent)
            assert (refused.status, refused.code) == (400, "format_invalid")
            assert said in refused.body["error"]["message"]


@pytest.mark.rule("D7")
async def test_a_spell_is_written_in_a_form_and_a_plan_needs_one_that_compiles(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        headers = {"Authorization": f"Bearer {ada.token}"} if ada.token else {}
        answer = await ada.client.post(
            "/v1/spells/write", json={"spell": HELLO, "as": "python"}, headers=headers
        )
        assert (await answer.read()).decode() == formats.write(read_spell(HELLO), "python").decode()
        broken = {"nodes": {"a": {"type": "no.such"}}}
        for form in ("manifest", "ir"):
            refused = await ada.post("/v1/spells/write", {"spell": broken, "as": form})
            assert (refused.status, refused.code) == (400, "unknown_node_type")
        written = await ada.client.post(
            "/v1/spells/write", json={"spell": broken, "as": "json"}, headers=headers
        )
        assert json.loads(await written.read())["nodes"] == broken["nodes"]


@pytest.mark.rule("D7", "D8")
async def test_a_socket_gets_a_file_as_its_text(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        async with asking(h, ada) as ask:
            wrote = await ask("spells.write", {"spell": HELLO, "as": "yaml"})
            assert (wrote["name"], wrote["media_type"]) == ("Hello.yaml", "text/yaml")
            read = await ask("spells.read", {"name": "Hello.yaml", "text": wrote["text"]})
            assert read["spell"] == HELLO
            plan = await ask("spells.write", {"spell": HELLO, "as": "ir"})
            assert read_bytes(base64.b64decode(plan["data"]), "x").to_json() == HELLO
            made = await ada.post("/v1/canvases", {"spell": HELLO})
            got = await ask("canvases.get_spell", {"id": made.body["id"], "as": "yaml"})
            assert got["text"] == wrote["text"]
