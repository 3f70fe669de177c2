"""Odd input at the door: refused as what it is, and never a fault of the server."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.logs import _Redacted
from spellwork_server.strict_json import read_json
from tests.server.services.house import house

pytestmark = pytest.mark.anyio

HUGE = "9" * 400


def test_numbers_that_no_page_could_hold_are_refused() -> None:
    for text in (f'{{"a": [{HUGE}]}}', f"-{HUGE}", f'{{"a": {{"b": {HUGE}}}}}'):
        for given in (text, text.encode()):
            with pytest.raises(ValueError, match="range"):
                read_json(given)
    assert read_json(f'"{HUGE}"') == HUGE
    assert read_json(str(2**63)) == 2**63


async def test_a_huge_number_in_a_spell_is_malformed_json(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        body = f'{{"name": "c", "spell": {{"nodes": {{"a": {{"type": "core.value", "inputs": {{"value": {HUGE}}}}}}}}}}}'
        answer = await ada.call(
            "POST", "/v1/canvases", data=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer.code) == (400, "malformed_json")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/" + "a" * 300,
        "/" + "a" * 300 + ".js",
        "/assets/%00",
        "/..%2fapp.py",
        "/assets/..%2f..%2fapp.py",
        "/assets/..%5c..%5capp.py",
        "/assets/%2e%2e",
        "/.env",
    ],
)
async def test_no_path_leads_out_of_the_clients_files_or_to_a_fault(
    tmp_path: Path, path: str
) -> None:
    async with house(tmp_path) as h:
        reader, writer = await asyncio.open_connection(h.server.host, h.server.port)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        status = await reader.readline()
        writer.close()
        assert b" 404 " in status


async def test_a_spell_that_no_canvas_may_hold_is_refused_before_it_is_drawn(
    tmp_path: Path,
) -> None:
    value: Any = 1
    for _ in range(70):
        value = [value]
    nodes = {f"n{place}": {"type": "core.value"} for place in range(20)}
    wire = {"source": "n0", "output": "value", "target": "n1", "input": "value"}
    spells: list[dict[str, Any]] = [
        {"nodes": nodes},
        {"edges": {f"e{place}": wire for place in range(50)}},
        {"notes": {f"t{place}": {"text": "x"} for place in range(50)}},
        {"nodes": {"n": {"type": "core.value", "inputs": {"value": value}}}},
    ]
    async with house(tmp_path, max_spell_nodes=10) as h:
        ada = await h.person("ada")
        canvas = (await ada.post("/v1/canvases", {"name": "c"})).body["id"]
        for spell in spells:
            for answer in (
                await ada.post("/v1/canvases", {"name": "d", "spell": spell}),
                await ada.put(f"/v1/canvases/{canvas}/spell", spell),
            ):
                assert (answer.status, answer.code) == (422, "schema_violation")
        assert [each["id"] for each in (await ada.get("/v1/canvases")).body["items"]] == [canvas]


def test_nobody_can_forge_a_line_of_the_log() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "f", 1, "GET %s", ("/a\n2026 ERROR forged\r\x1b[2Jsw_" + "k" * 30,), None
    )
    text = _Redacted("%(levelname)s %(message)s").format(record)
    assert text == "INFO GET /a\n  2026 ERROR forged\\x0d\\x1b[2J***"
