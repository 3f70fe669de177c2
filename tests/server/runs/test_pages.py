"""Pages of large values: at every depth, in another order, and without holding anybody up."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork_server.errors import BadRequest
from spellwork_server.runs import pages as pages_module
from spellwork_server.runs import value_index
from spellwork_server.runs.errors import ValueNotFound
from spellwork_server.runs.pages import PageRequest, Pages, page_of
from spellwork_server.runs.references import encode
from spellwork_server.runs.value_index import index_of
from tests.seeds import examples

from .house import ADA, house, spell_of

pytestmark = pytest.mark.anyio

DEEP: dict[str, Any] = {
    "rows": [{"id": i, "text": "x" * 100, "tags": ["a", str(i)]} for i in range(2_000)],
    "a/b": {"~": [1, 2, 3]},
    "": {"": "empty"},
    "long": "abc" * 50_000,
    "n": 5,
}


def page(value: Any, **request: Any) -> Any:
    body = encode(value).body
    return page_of("k", body, request.pop("offset", 0), request.pop("limit", None), **request)


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    ("path", "offset", "limit", "kind", "total", "value"),
    [
        ("", 1, 2, "object", 5, {"a/b": {"~": [1, 2, 3]}, "": {"": "empty"}}),
        ("/rows", 1_999, 5, "list", 2_000, [DEEP["rows"][-1]]),
        ("/rows/7", 0, 1, "object", 3, {"id": 7}),
        ("/rows/7/tags", 0, None, "list", 2, ["a", "7"]),
        ("/rows/7/tags/1", 0, None, "text", 1, "7"),
        ("/a~1b/~0/2", 0, None, "value", 1, 3),
        ("//", 0, None, "text", 5, "empty"),
        ("/long", 2, 4, "text", 150_000, "cabc"),
        ("/n", 0, None, "value", 1, 5),
    ],
)
def test_a_page_of_a_part_by_its_path(
    path: str, offset: int, limit: int | None, kind: str, total: int, value: Any
) -> None:
    found = page(DEEP, path=path, offset=offset, limit=limit)
    assert (found.kind, found.total, found.value, found.path) == (kind, total, value, path)


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    "path",
    ["rows", "/none", "/rows/2000", "/rows/-1", "/rows/01", "/rows/x", "/n/0", "/long/0", "/rows/"],
)
def test_a_path_that_leads_nowhere_is_not_found(path: str) -> None:
    with pytest.raises(ValueNotFound) as caught:
        page(DEEP, path=path)
    assert caught.value.details == {"hash": "k", "path": path}


@pytest.mark.rule("E8")
async def test_large_parts_of_a_page_stand_as_references_with_their_path() -> None:
    value = {"big": {"x/y": ["z" * 100] * 2_000}, "small": 1}

    async def load() -> bytes:
        return encode(value).body

    pages = Pages(64 * 1024)
    first = await pages.page("k", load, PageRequest(parts="reference"))
    stands = first.value["big"]
    assert stands.keys() == {"$ref", "size", "preview", "path"}
    assert (stands["$ref"], stands["path"], first.value["small"]) == ("k", "/big", 1)
    second = await pages.page("k", load, PageRequest(path="/big", parts="reference"))
    assert second.value["x/y"]["path"] == "/big/x~1y"
    third = await pages.page("k", load, PageRequest(path="/big/x~1y", limit=2))
    assert third.value == ["z" * 100] * 2


@pytest.mark.rule("E8")
def test_a_page_ends_early_rather_than_be_very_large() -> None:
    value = ["x" * 300_000] * 10
    sizes = []
    offset = 0
    while True:
        found = page(value, offset=offset)
        sizes.append(len(found.value))
        offset += len(found.value)
        if not found.more:
            break
    assert sizes == [4, 4, 2]


TABLE: list[dict[str, Any]] = [
    {"name": "Émile", "age": 31},
    {"name": "ada", "age": None},
    {"name": "Bob", "age": 7.5},
    {"age": 40, "tags": ["Late"]},
    {"name": "ADA", "age": 31},
]


@pytest.mark.rule("E8")
@pytest.mark.parametrize(
    ("request_", "rows"),
    [
        ({"sort": "age"}, [2, 0, 4, 3, 1]),
        ({"sort": "age", "descending": True}, [3, 0, 4, 2, 1]),
        ({"sort": "name"}, [1, 4, 2, 0, 3]),
        ({"filter": "ada"}, [1, 4]),
        ({"filter": "late"}, [3]),
        ({"filter": "31", "sort": "name"}, [4, 0]),
        ({"filter": "nobody"}, []),
        ({"sort": "none"}, [0, 1, 2, 3, 4]),
    ],
)
def test_rows_are_sorted_and_filtered(request_: dict[str, Any], rows: list[int]) -> None:
    found = page(TABLE, **request_)
    assert found.rows == rows
    assert found.value == [TABLE[row] for row in rows]
    assert found.total == len(rows)
    assert page(TABLE, offset=1, limit=2, **request_).rows == rows[1:3]


@pytest.mark.rule("E8")
def test_lists_of_lists_sort_by_the_number_of_a_cell_and_plain_lists_by_the_item() -> None:
    assert page([[1, "b"], [2, "a"]], sort="1").rows == [1, 0]
    assert page([3, "x", 1, None], sort="").value == [1, 3, "x", None]


@pytest.mark.rule("E8")
def test_only_lists_are_sorted() -> None:
    with pytest.raises(BadRequest):
        page({"a": 1}, sort="a")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=12)
    | st.sampled_from(['},{"', "],[", '",', "\\", '\\"']),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(
            st.text(max_size=6) | st.sampled_from(['a,"', "}", '\\"']), inner, max_size=6
        )
    ),
    max_leaves=60,
)


@pytest.mark.rule("E8")
@settings(max_examples=examples(150), deadline=None)
@given(JSON, st.integers(1, 7), st.integers(1, 40))
def test_pages_of_any_value_put_together_are_the_value(value: Any, limit: int, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_index, "WINDOW", window)
        body = msgspec.json.encode(value)
        found: list[Any] = []
        offset = 0
        while True:
            part = page_of("k", body, offset, limit)
            found.append(part.value)
            offset += len(part.value) if part.kind != "value" else 1
            if not part.more:
                break
        assert offset == part.total
        whole: Any
        if part.kind == "text":
            whole = "".join(found)
        elif part.kind == "list":
            whole = [item for each in found for item in each]
        elif part.kind == "object":
            whole = {name: item for each in found for name, item in each.items()}
        else:
            whole = found[0]
        assert whole == value
        assert list(whole) == list(value) if isinstance(value, dict) else True


@pytest.mark.rule("E8")
@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("ab"), JSON, max_size=2), max_size=30), st.booleans()
)
def test_sorting_in_windows_is_sorting_the_whole(rows: list[Any], descending: bool) -> None:
    body = msgspec.json.encode(rows)
    whole = page_of("k", body, 0, None, sort="a", descending=descending).rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_index, "WINDOW", 16)
        assert page_of("k", body, 0, None, sort="a", descending=descending).rows == whole
    assert sorted(whole or []) == list(range(len(rows)))


@pytest.mark.rule("E8")
async def test_the_value_is_read_once_for_several_pages_and_let_go_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads = 0

    async def load() -> bytes:
        nonlocal loads
        loads += 1
        return encode(DEEP).body

    pages = Pages(64 * 1024)
    for offset in range(3):
        await pages.page("k", load, PageRequest(path="/rows", offset=offset, limit=1))
    assert loads == 1
    monkeypatch.setattr(pages_module, "KEPT_SECONDS", 0.0)
    pages._forget()
    assert not pages._kept
    monkeypatch.setattr(pages_module, "KEPT_BYTES", 10)
    await pages.page("k", load, PageRequest())
    assert not pages._kept


@pytest.mark.rule("E8")
async def test_a_page_of_millions_of_tiny_lists_does_not_hold_the_loop_up() -> None:
    body = b"[" + b",".join([b"[1]"] * 2_000_000) + b"]"

    async def load() -> bytes:
        return body

    longest, last = 0.0, time.process_time()  # another process's work holds up nobody here
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal longest, last
        while not done.is_set():
            last = time.process_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.process_time() - last)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch())
        found = await Pages(64 * 1024).page("k", load, PageRequest(offset=1_999_999))
        done.set()
    assert (found.total, found.value) == (2_000_000, [[1]])
    assert longest < 0.75


@pytest.mark.rule("E8")
async def test_parts_are_read_over_both_operations() -> None:
    async with house() as h:
        await h.canvas(spell_of({"t": {"type": "t.value", "inputs": {"value": DEEP}}}))
        run = await h.call(ADA, "runs.create", canvas="c1", wait=60)
        key = run["hashes"]["t"]["value"]
        one = await h.call(ADA, "cache.value", hash=key, path="/rows/5/tags")
        two = await h.call(
            ADA, "runs.output", id=run["id"], node="t", port="value", path="/rows/5/tags"
        )
        assert one["value"] == two["value"] == ["a", "5"]
        with pytest.raises(ValueNotFound):
            await h.call(ADA, "cache.value", hash=key, path="/nothing")


def test_an_index_takes_little_memory() -> None:
    body = json.dumps([[1]] * 500_000, separators=(",", ":")).encode()
    assert len(index_of(body).windows) < 2 * len(body) / value_index.WINDOW + 2
