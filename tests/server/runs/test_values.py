"""Large values go by reference and are read by page, by those who may read a run that left them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spellwork_server.runs.errors import ValueNotFound
from spellwork_server.runs.pages import page_of
from spellwork_server.runs.references import PREVIEW_CHARACTERS, encode, preview_of

from .house import ADA, BOB, EVE, ROOT, House, house, spell_of

pytestmark = pytest.mark.anyio

TABLE = [{"id": i, "name": "x" * 60} for i in range(3_000)]


LARGE = spell_of({"t": {"type": "t.value", "inputs": {"value": TABLE}}})


async def run_large(h: House, **request: Any) -> dict[str, Any]:
    if "c1" not in h.members:
        await h.canvas(LARGE, bob="viewer")
    return await h.call(ADA, "runs.create", canvas="c1", wait=60, **request)


@pytest.mark.rule("E8")
async def test_a_large_output_is_a_reference_in_the_event_and_in_the_run() -> None:
    async with house() as h:
        tab = await h.tab(ADA)
        await h.canvas(LARGE)
        await tab.manager.open("c1")
        run = await run_large(h)
        reference = run["outputs"]["t"]["value"]
        assert reference.keys() == {"$ref", "size", "preview"}
        assert reference["$ref"] == encode(TABLE).hash == run["hashes"]["t"]["value"]
        done = next(event for event in tab.events() if event["kind"] == "node.done")
        assert done["outputs"]["value"] == reference


@pytest.mark.rule("E8")
async def test_a_large_value_is_read_by_page() -> None:
    async with house() as h:
        run = await run_large(h)
        key = run["hashes"]["t"]["value"]
        items: list[Any] = []
        while True:
            page = await h.call(ADA, "cache.value", hash=key, offset=len(items), limit=700)
            assert (page["kind"], page["total"]) == ("list", 3_000)
            items += page["value"]
            if not page["more"]:
                break
        assert items == TABLE
        by_port = await h.call(
            ADA, "runs.output", id=run["id"], node="t", port="value", offset=10, limit=5
        )
        assert (by_port["value"], by_port["hash"]) == (TABLE[10:15], key)
        with pytest.raises(ValueNotFound):
            await h.call(ADA, "runs.output", id=run["id"], node="t", port="other")


@pytest.mark.rule("E8")
async def test_a_hash_is_no_permission() -> None:
    async with house() as h:
        run = await run_large(h, audience="private")
        key = run["hashes"]["t"]["value"]
        for who in (BOB, EVE):
            with pytest.raises(ValueNotFound):
                await h.call(who, "cache.value", hash=key)
        assert (await h.call(ROOT, "cache.value", hash=key))["total"] == 3_000
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        assert (await h.call(BOB, "cache.value", hash=key))["total"] == 3_000
        with pytest.raises(ValueNotFound):
            await h.call(EVE, "cache.value", hash=key)
        h.members["c1"].pop("bob")
        with pytest.raises(ValueNotFound):
            await h.call(BOB, "cache.value", hash=key)


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    ("value", "kind", "total"),
    [
        ([1, 2, 3, 4, 5], "list", 5),
        ("äöü€x", "text", 5),
        ({"a": 1, "b": [2], "c": 3, "d": None, "e": 5}, "object", 5),
    ],
)
async def test_pages_put_together_are_the_value(value: Any, kind: str, total: int) -> None:
    body = encode(value).body
    pages = [page_of("k", body, offset, 2) for offset in range(0, 5, 2)]
    assert [page.more for page in pages] == [True, True, False]
    assert {(page.kind, page.total) for page in pages} == {(kind, total)}
    parts = [page.value for page in pages]
    if isinstance(value, dict):
        whole: Any = parts[0] | parts[1] | parts[2]
    else:
        whole = parts[0] + parts[1] + parts[2]
    assert whole == value


@pytest.mark.parametrize("value", [3.5, True, None])
async def test_a_small_value_is_one_page(value: Any) -> None:
    page = page_of("k", encode(value).body, 0, None)
    assert (page.kind, page.value, page.more) == ("value", value, False)


async def test_a_page_beyond_the_end_is_empty() -> None:
    page = page_of("k", b"[1]", 5, 10)
    assert (page.value, page.more) == ([], False)


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    "value",
    [
        "x" * 1_000_000,
        ["y" * 1_000] * 1_000,
        {f"key{i}": {"deep": [i] * 100} for i in range(1_000)},
        [[[[[[[[[[1]]]]]]]]]],
        "data:image/png;base64," + "A" * 500_000,
        {"k" * 5_000: 1},
        [[{"a": "b" * 90_000}]],
    ],
)
async def test_a_preview_is_small_and_of_the_same_shape(value: Any) -> None:
    preview = preview_of(encode(value).body)
    assert type(preview) is type(value)
    assert len(json.dumps(preview)) < 3 * PREVIEW_CHARACTERS
