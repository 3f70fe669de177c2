"""What a TypeScript cell reaches beyond its worker: what its canvas was granted, by way of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .test_grants import SECRET, Place, place

pytestmark = pytest.mark.anyio


async def run(p: Place, code: str) -> dict[str, Any]:
    spell = {"schema": 1, "name": "C", "nodes": {"cell": {"type": "code.typescript", "code": code}}}
    put = await p.ada.put(f"/v1/canvases/{p.canvas}/spell", {"spell": spell})
    assert put.status == 200, put.body
    answer = await p.ada.post("/v1/runs", {"canvas": p.canvas, "wait": 60})
    assert answer.status < 300, answer.body
    return dict(answer.body)


@pytest.mark.rule("17.51", "K6")
async def test_fetch_and_requests_reach_what_was_granted(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        host = f"127.0.0.1:{p.site.port}"
        fetch = (
            f"const _r = await fetch('http://{host}/page', {{ method: 'POST', body: 'hello' }});\n"
            "[_r.status, (await _r.json()).got.endsWith('hello')]"
        )
        refused = (await run(p, fetch))["errors"]["cell"]["message"]
        assert host in refused
        assert p.site.got == []
        await p.grant(hosts=[host])
        body = await run(p, fetch + ";")
        assert body["outputs"]["cell"]["result"] == [200, True], body
        theirs = {"name": "example", "value": SECRET, "canvas": p.canvas}
        secret = (await p.ada.post("/v1/secrets", theirs)).body["id"]
        await p.grant(hosts=[host], secret=secret)
        code = (
            f"const _r = await spellwork.request('GET', 'http://{host}/page',"
            " { headers: { Authorization: 'Bearer {{secret.example}}' } });\n[_r.ok, _r.text, _r.headers]"
        )
        body = await run(p, code)
        assert body["outputs"]["cell"]["result"][0] is True, body
        assert f"Authorization: Bearer {SECRET}" in p.site.got[-1]
        assert SECRET not in str(body)
