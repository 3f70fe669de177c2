"""The sink takes events at once: chunks of a frame are joined, the order of a node's events stays."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import msgspec
import pytest

from spellwork.events import Event
from spellwork_server.runs import writer as writer_module
from spellwork_server.runs.references import encode
from spellwork_server.runs.wire import Wire
from spellwork_server.runs.writer import CHUNK_CHARACTERS, RunWriter
from spellwork_server.storage.event_rows import Entry

from .house import until

pytestmark = pytest.mark.anyio


def make() -> tuple[RunWriter, list[dict[str, Any]], list[Entry]]:
    said: list[dict[str, Any]] = []
    entries: list[Entry] = []

    def append(new: list[Entry], _size: int) -> None:
        entries.extend(new)
        said.extend(msgspec.json.decode(entry.body) for entry in new)

    return RunWriter(Wire("r", 64 * 1024), append), said, entries


def chunk(value: Any, node: str = "n", port: str = "text") -> Event:
    return Event("node.chunk", 1.0, node=node, port=port, value=value)


@pytest.mark.rule("E7")
async def test_chunks_of_one_frame_become_one_event_with_their_count() -> None:
    write, said, _ = make()
    for word in ("a", "b", "c"):
        write(chunk(word))
    assert said == []
    await until(lambda: said)
    assert said == [
        {
            "run": "r",
            "kind": "node.chunk",
            "at": 1.0,
            "node": "n",
            "port": "text",
            "value": "abc",
            "chunks": 3,
        }
    ]


@pytest.mark.rule("E7")
async def test_chunks_that_are_no_texts_become_a_list() -> None:
    write, said, _ = make()
    write(chunk({"x": 1}))
    write(chunk([2]))
    write.flush()
    assert said[0]["value"] == [{"x": 1}, [2]]
    write(chunk(None))
    write.flush()
    assert (said[1]["value"], said[1]["chunks"]) == ([None], 1)


@pytest.mark.rule("E7")
async def test_texts_and_values_on_one_port_are_not_mixed() -> None:
    write, said, _ = make()
    for value in ("a", "b", 1, "c"):
        write(chunk(value))
    write.flush()
    assert [event["value"] for event in said] == ["ab", [1], "c"]


@pytest.mark.rule("E7")
async def test_what_a_node_said_stays_in_order_and_other_nodes_do_not_end_its_frame() -> None:
    write, said, _ = make()
    write(chunk("a"))
    write(Event("node.done", 2.0, node="other", outputs={"x": 1}))
    write(chunk("b"))
    write(Event("node.progress", 2.0, node="n", value=0.5))
    write(Event("node.progress", 2.0, node="n", value=0.9))
    write(Event("node.done", 3.0, node="n", outputs={"text": "ab"}))
    await asyncio.sleep(0)
    assert [(e["kind"], e.get("value")) for e in said] == [
        ("node.done", None),
        ("node.chunk", "ab"),
        ("node.progress", 0.9),
        ("node.done", None),
    ]


@pytest.mark.rule("E7")
async def test_a_long_text_is_cut_into_several_events_and_none_of_it_is_lost() -> None:
    write, said, _ = make()
    text = "".join(chr(33 + i % 90) for i in range(3 * CHUNK_CHARACTERS + 100))
    write(chunk(text))
    write.flush()
    assert "".join(event["value"] for event in said) == text
    assert max(len(event["value"]) for event in said) <= CHUNK_CHARACTERS


async def test_values_are_taken_as_they_are_now() -> None:
    write, _, entries = make()
    value = [1, 2]
    write(Event("node.done", 1.0, node="n", outputs={"list": value}))
    value.append(3)
    await asyncio.sleep(0)
    assert entries[0].outputs[0].body == b"[1,2]"


@pytest.mark.rule("E8")
async def test_a_large_value_goes_by_reference_with_its_head() -> None:
    write, said, entries = make()
    table = [{"id": i, "name": "x" * 50} for i in range(5_000)]
    write(Event("node.done", 1.0, node="n", outputs={"table": table, "small": 1}))
    on_wire = said[0]["outputs"]["table"]
    assert on_wire["$ref"] == encode(table).hash
    assert on_wire["size"] == len(encode(table).body) > 64 * 1024
    assert on_wire["preview"] == table[: len(on_wire["preview"])] != []
    assert len(entries[0].body) < 10_000
    assert said[0]["outputs"]["small"] == 1
    assert msgspec.json.decode(entries[0].outputs[0].body) == table


@pytest.mark.parametrize(
    "value",
    ["\ud800 broken", float("nan"), object(), b"\x00\xff", {1: {2: {3}}}, ValueError("x"), 2**70],
    ids=["surrogate", "nan", "object", "bytes", "sets", "error", "big"],
)
async def test_whatever_a_node_leaves_becomes_json(value: Any) -> None:
    write, said, _ = make()
    write(Event("node.log", 1.0, node="n", message=str(value), level="info"))
    write(Event("node.done", 1.0, node="n", outputs={"x": value}))
    write(
        Event(
            "node.failed", 1.0, node="n", error={"code": "c", "message": str(value), "value": value}
        )
    )
    await asyncio.sleep(0)
    assert len(said) == 3


async def test_events_of_another_thread_arrive_in_order() -> None:
    write, said, _ = make()

    def work() -> None:
        for i in range(100):
            write(Event("node.log", 1.0, node="n", message=str(i), level="info"))

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.to_thread(thread.join)
    await until(lambda: len(said) == 100)
    assert [event["message"] for event in said] == [str(i) for i in range(100)]


@pytest.mark.rule("E10")
async def test_lines_that_a_call_left_out_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "LOG_LINES", 10)
    write, said, _ = make()
    for _attempt in range(2):
        for _ in range(10):
            write(Event("node.log", 1.0, node="n", message="line", level="info"))
        write(Event("node.log", 1.0, node="n", message="5 more", data={"left_out": 5}))
    write(Event("node.done", 2.0, node="n", outputs={}))
    await asyncio.sleep(0)
    assert [each["message"] for each in said if each["kind"] == "node.log"] == [
        *["line"] * 10,
        "20 more log lines of this node were left out",
    ]


@pytest.mark.rule("E10")
async def test_lines_beyond_the_limit_are_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "LOG_LINES", 10)
    write, said, _ = make()
    for i in range(15):
        write(Event("node.log", 1.0, node="n", message=str(i), level="info"))
    write(Event("node.done", 2.0, node="n", outputs={}))
    await asyncio.sleep(0)
    assert [e["message"] for e in said[:-1]] == [
        *map(str, range(10)),
        "5 more log lines of this node were left out",
    ]
    assert said[-1]["kind"] == "node.done"


async def test_the_last_event_is_held_back_and_nothing_follows_it() -> None:
    write, said, _ = make()
    write(chunk("a"))
    write(Event("run.completed", 2.0, duration=1.0))
    write(Event("node.log", 3.0, node="n", message="late", level="info"))
    assert [event["kind"] for event in said] == ["node.chunk"]
    assert write.terminal is not None
    assert write.terminal.kind == "run.completed"
