"""Values that stay in the worker that made them: passed by reference, moved by typed encodings, let go when nobody needs them."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import textwrap
from collections.abc import AsyncIterator
from typing import Any

import pytest

import spellwork
from spellwork import Execution, Library, NodeError, Pack, RunMemory, RunResult, Spell, node
from spellwork.handing import decoded
from spellwork.handles import Handle, find_handle, handles_in
from spellwork.live import LiveSession
from spellwork.memory import RunMemory as Memory
from spellwork.workers import WorkerPool
from spellwork_code import pack as code
from spellwork_core import pack as core
from spellwork_worker.parcels import ReadPage

from .conftest import Bench

pytestmark = pytest.mark.anyio
LIBRARY = Library([core, code])


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    async with WorkerPool(memory_mb=2048) as pool:
        yield pool


@pytest.fixture
async def cells(pool: WorkerPool) -> Bench:
    return Bench(pool, "cells")


def spell_of(nodes: dict[str, Any], *wires: str, **more: Any) -> Spell:
    """Return a spell; a node given as text is a cell, a wire is "node.port node.port"."""
    edges = {}
    for number, wire in enumerate(wires):
        (source, output), (target, into) = (end.split(".") for end in wire.split())
        edges[f"e{number}"] = {"source": source, "output": output, "target": target, "input": into}
    return Spell.model_validate(
        {
            "nodes": {
                id: {"type": "code.python", "code": each} if isinstance(each, str) else each
                for id, each in nodes.items()
            },
            "edges": edges,
            **more,
        }
    )


async def run(pool: WorkerPool, spell: Spell, **options: Any) -> RunResult:
    inputs = options.pop("inputs", None)
    plan = spellwork.compile(spell, LIBRARY, inputs)
    options.setdefault("run_id", "handles")  # one worker for all runs of this file
    return await Execution(plan, executors={"worker": pool}, **options).run()


def kill(pool: WorkerPool) -> None:
    """Kill the processes of a pool's workers; those in reserve would be taken for the next call before it is noticed."""
    for worker, pids in pool.pids.items():
        for pid in pids if worker else ():
            os.kill(pid, signal.SIGKILL)


BY_REFERENCE = {
    "a tuple": "(1, 2)",
    "a set": "{1, 2}",
    "NaN": "float('nan')",
    "an object": "object()",
    "a class": "class C: pass\nresult = C",
    "a generator that is no stream": "(n for n in range(3))",
    "an open file": "open('left.txt', 'w')",
    "a large list": "list(range(600_000))",
    "a large text": "'x' * 5_000_000",
    "a list of objects": "[object()]",
    "a key that is no text": "{1: 2}",
    "an array": "import numpy\nnumpy.arange(9)",
    "a table": "import pandas\npandas.DataFrame({'a': [1, 2]})",
    "a lambda": "_f = lambda: 1\nresult = _f",
}


@pytest.mark.rule("18.1")
@pytest.mark.parametrize("made", BY_REFERENCE.values(), ids=BY_REFERENCE)
async def test_the_very_object_comes_to_other_cells_of_its_worker(cells: Bench, made: str) -> None:
    value = (await cells.keep(made))["result"]
    assert isinstance(value, Handle)
    first = await cells.keep("import builtins\nbuiltins.kept = x\nid(x)", x=value)
    again = await cells.keep(
        "import builtins\n[x is builtins.kept, inside[0]['a'] is x]", x=value, inside=[{"a": value}]
    )
    assert isinstance(first["result"], int)
    assert again["result"] == [True, True]


@pytest.mark.rule("18.1")
async def test_small_plain_values_are_values_and_each_cell_has_its_own(cells: Bench) -> None:
    value: Any
    for value in (None, True, 3, 2.5, "a", [1, [2]], {"a": {"b": []}}):
        assert (await cells.keep("x", x=value))["result"] == value
    given = [1]
    await cells.keep("x.append(2)", x=given)
    assert given == [1]


@pytest.mark.rule("18.2")
async def test_cells_that_share_an_object_see_what_others_do_to_it(cells: Bench) -> None:
    value = (await cells.keep("result = {1, 2}"))["result"]
    await cells.keep("_x = x.add(3)", x=value)
    assert (await cells.keep("len(x)", x=value))["result"] == 3


@pytest.mark.rule("18.3")
async def test_a_node_outside_of_workers_gets_plain_json(pool: WorkerPool) -> None:
    made = {
        "cell": "import numpy\nnumpy.arange(6).reshape(2, 3)",
        "length": {"type": "core.length"},
        "picked": {"type": "core.length"},
        "rows": "[{'n': n} for n in range(30_000)]",
    }
    spell = spell_of(made, "cell.result length.value", "rows.result picked.value")
    result = await run(pool, spell)
    assert result.errors == {}
    assert result.outputs["length"] == {"length": 2}
    assert result.outputs["picked"] == {"length": 30_000}


@node("h.show", output="value")
async def show(value: Any) -> str:
    """Show what comes, called as plainly as a node can be."""
    return repr(value)


@pytest.mark.rule("18.3")
@pytest.mark.parametrize("watched", [True, False])
async def test_what_a_node_hands_on_of_the_code_that_it_calls_comes_as_plain_json(
    pool: WorkerPool, watched: bool
) -> None:
    mapped = {"type": "core.map", "code": "(item, item)", "inputs": {"items": [1, 2]}}
    spell = spell_of({"m": mapped, "s": {"type": "h.show"}}, "m.items s.value")
    plan = spellwork.compile(spell, Library([core, code, Pack("h", "1", "H", (show,))]))
    options: dict[str, Any] = {"memory": RunMemory(), "sink": lambda _: None} if watched else {}
    result = await Execution(plan, executors={"worker": pool}, **options).run()
    assert (result.errors, result.outputs["s"]) == ({}, {"value": "[[1, 1], [2, 2]]"})


@pytest.mark.rule("18.3")
async def test_a_wire_transforms_what_it_fetches(pool: WorkerPool) -> None:
    spell = spell_of({"rows": "[{'n': n} for n in range(30_000)]", "n": {"type": "core.number"}})
    data = spell.to_json()
    data["edges"] = {
        "e": {
            "source": "rows", "output": "result", "target": "n", "input": "value",
            "transform": [{"op": "pick", "path": "[7].n"}],
        }
    }  # fmt: skip
    result = await run(pool, Spell.model_validate(data))
    assert (result.errors, result.outputs["n"]) == ({}, {"value": 7})


@pytest.mark.rule("18.4")
async def test_what_cannot_cross_names_both_nodes_and_what_to_do(pool: WorkerPool) -> None:
    spell = spell_of(
        {"maker": "object()", "reader": {"type": "core.length"}}, "maker.result reader.value"
    )
    failure = (await run(pool, spell)).errors["reader"]
    assert failure.code == "not_transferable"
    for word in ("'maker'", "'reader'", "'value'", "object", "code node"):
        assert word in failure.message
    async with WorkerPool() as elsewhere:
        value = (await Bench(pool, "one").keep("open('a', 'w')"))["result"]
        with pytest.raises(NodeError) as raised:
            await Bench(elsewhere, "two").keep("x", x=value)
    assert raised.value.code == "not_transferable"
    assert "a worker with one process" in raised.value.message
    assert raised.value.port == "x"


CROSSING = {
    "a table": (
        "import pandas\npandas.DataFrame({'a': range(20_000), 'b': 'x'})",
        "[type(x).__name__, len(x), list(x.columns), int(x.a.sum()), x.b[7]]",
        ["DataFrame", 20_000, ["a", "b"], 199_990_000, "x"],
    ),
    "an Arrow table": (
        "import pyarrow\npyarrow.table({'a': [1, None]})",
        "[type(x).__name__, x.to_pylist()]",
        ["Table", [{"a": 1}, {"a": None}]],
    ),
    "an array, which may be written to": (
        "import numpy\nnumpy.arange(100_000.).reshape(100, 1000)",
        "x[0, 0] = 5\n[type(x).__name__, list(x.shape), str(x.dtype), float(x[0, 0]), float(x[99, 999])]",
        ["ndarray", [100, 1000], "float64", 5.0, 99_999.0],
    ),
    "an array by columns": (
        "import numpy\nnumpy.asfortranarray(numpy.arange(6).reshape(2, 3))",
        "x.tolist()",
        [[0, 1, 2], [3, 4, 5]],
    ),
    "bytes": ("b'ab' * 100_000", "[type(x).__name__, len(x)]", ["bytes", 200_000]),
    "a large list": (
        "list(range(600_000))",
        "[type(x).__name__, sum(x)]",
        ["list", 179_999_700_000],
    ),
    "a tuple": ("(1, 2)", "x", [1, 2]),
    "what shows itself as a picture": (
        "class P:\n    def _repr_png_(self):\n        return b'png'\nresult = P()",
        "[type(x).__name__, len(x)]",
        ["bytes", 3],
    ),
}


@pytest.mark.rule("18.5")
@pytest.mark.parametrize(("made", "read", "found"), CROSSING.values(), ids=CROSSING)
async def test_a_value_crosses_to_another_worker_by_its_encoding(
    pool: WorkerPool, made: str, read: str, found: Any
) -> None:
    value = (await Bench(pool, "cells").keep(made))["result"]
    assert isinstance(value, Handle)
    assert (await Bench(pool, "other").keep(read, x=value))["result"] == found


@pytest.mark.rule("18.6")
async def test_nothing_that_runs_code_is_written_or_read(cells: Bench, pool: WorkerPool) -> None:
    value = (await cells.keep("import numpy\nnumpy.array([object(), {}], dtype=object)"))["result"]
    assert "npy" not in value.encodings
    evil = """
        import io, numpy, spellwork_worker.encoders as e, spellwork_worker.parcels as p
        class Evil:
            def __reduce__(self):
                return (print, ("ran",))
        file = io.BytesIO()
        numpy.save(file, numpy.array([Evil()], dtype=object), allow_pickle=True)
        data = file.getvalue()
        try:
            e.decode(p.Parcel("npy", len(data), "numpy.ndarray", "", data), None)
            said = "read"
        except e.NotTransferableError as error:
            said = str(error)
    """
    said = (await Bench(pool, "evil").keep(textwrap.dedent(evil)))["said"]
    assert "objects" in said


@pytest.mark.rule("18.7")
async def test_previews_are_made_in_the_worker_and_bounded(cells: Bench) -> None:
    table = "import pandas\npandas.DataFrame({'a': range(100_000), 'b': 'x' * 5_000})"
    preview = (await cells.keep(table))["result"].preview
    assert preview["form"] == "table"
    assert [column["name"] for column in preview["columns"]] == ["a", "b"]
    assert preview["total"] == 100_000
    assert 0 < len(preview["rows"]) <= 20
    assert len(str(preview)) < 64 * 1024
    slow = "class Slow:\n    def __repr__(self):\n        while True: pass\nresult = Slow()"
    assert (await cells.keep(slow))["result"].preview == {"form": "text", "text": "<Slow>"}
    array = (await cells.keep("import numpy\nnumpy.zeros((200, 300))"))["result"].preview
    assert (array["form"], array["dtype"], array["shape"]) == ("array", "float64", [200, 300])
    picture = "class P:\n    def _repr_png_(self):\n        return b'p' * 70_000\nresult = P()"
    assert (await cells.keep(picture))["result"].preview["form"] in ("image", "text")


PAGES = {
    "rows": ({"offset": 5, "limit": 2}, [{"a": 5, "b": "x5"}, {"a": 6, "b": "x6"}]),
    "sorted": ({"limit": 1, "sort": "a", "descending": True}, [{"a": 99_999, "b": "x99999"}]),
    "filtered": ({"filter": "X4200", "limit": 1}, [{"a": 4200, "b": "x4200"}]),
    "a part": ({"path": "/7/b"}, "x7"),
}


@pytest.mark.rule("18.8")
@pytest.mark.parametrize(("asked", "found"), PAGES.values(), ids=PAGES)
async def test_pages_are_read_from_the_worker(
    cells: Bench, asked: dict[str, Any], found: Any
) -> None:
    made = "import pandas\npandas.DataFrame({'a': range(100_000), 'b': [f'x{n}' for n in range(100_000)]})"
    value = (await cells.keep(made))["result"]
    page = await value.holder.page(value, ReadPage(0, 0, **asked))
    assert json.loads(page.body) == found
    with pytest.raises(NodeError) as raised:
        await value.holder.page(value, ReadPage(0, 0, path="/nowhere"))
    assert raised.value.code == "value_not_found"


@pytest.mark.rule("18.9")
async def test_a_value_is_let_go_when_nothing_holds_it(cells: Bench) -> None:
    make = "import weakref, builtins\nclass Thing: pass\nresult = Thing()\nbuiltins.seen = weakref.ref(result)"
    value = (await cells.keep(make))["result"]
    alive = "import builtins, gc\ngc.collect()\nbuiltins.seen() is not None"
    assert (await cells.keep(alive))["result"] is True
    token = value.token
    assert find_handle(token) is value
    del value
    gc.collect()
    await asyncio.sleep(0)
    assert find_handle(token) is None
    assert (await cells.keep(alive))["result"] is False


@pytest.mark.rule("18.9")
async def test_many_values_leave_nothing_behind(cells: Bench) -> None:
    tokens = []
    for _ in range(50):
        value = (await cells.keep("object(), 'x' * 100_000"))["result"]
        assert isinstance(value, Handle)
        tokens.append(value.token)
        del value
    gc.collect()
    assert [token for token in tokens if find_handle(token)] == []


@pytest.mark.rule("18.10")
async def test_the_oldest_values_go_first_when_they_are_too_many() -> None:
    async with WorkerPool(memory_mb=512) as pool:
        cells = Bench(pool, "full")
        values = [(await cells.keep("bytearray(60_000_000)"))["result"] for _ in range(6)]
        await cells.keep("1")
        gone = [value.gone for value in values]
        assert gone[0] == "value dropped"
        assert gone[-1] is None
        with pytest.raises(NodeError) as raised:
            await cells.keep("x", x=values[0])
        assert raised.value.code == "value_gone"
        assert (await cells.keep("len(x)", x=values[-1]))["result"] == 60_000_000


CHAIN = {"a": "import builtins\nbuiltins.n = getattr(builtins, 'n', 0) + 1\nresult = object()",
         "b": "k = 0\nresult = [id(x), k]"}  # fmt: skip


@pytest.mark.rule("18.11")
async def test_an_incremental_run_gives_a_cell_the_same_object_again(pool: WorkerPool) -> None:
    memory = RunMemory()
    options: dict[str, Any] = {"memory": memory, "incremental": True}
    first = await run(pool, spell_of(CHAIN, "a.result b.x"), **options)
    changed = CHAIN | {"b": "k = 1\nresult = [id(x), k]"}
    second = await run(pool, spell_of(changed, "a.result b.x"), **options)
    assert second.why == {"a": "cached", "b": "code changed"}
    assert first.outputs["b"]["result"][0] == second.outputs["b"]["result"][0]
    assert first.outputs["a"]["result"] is second.outputs["a"]["result"]


@pytest.mark.rule("18.12")
@pytest.mark.parametrize("incremental", [True, False])
async def test_a_step_whose_value_died_with_its_process_runs_again_and_says_so(
    incremental: bool,
) -> None:
    async with WorkerPool() as pool:
        memory = Memory()
        options: dict[str, Any] = {"memory": memory, "incremental": incremental}
        spell = spell_of(CHAIN, "a.result b.x")
        result = await run(pool, spell, **options)
        kill(pool)
        value: Handle = result.outputs["a"]["result"]
        async with asyncio.timeout(30):
            while value.gone is None:
                await asyncio.sleep(0.005)
        assert value.gone == "worker restarted"
        again = await run(pool, spell, **options)
        assert again.errors == {}
        assert again.why == {"a": "worker restarted", "b": "input changed (x)"}


@pytest.mark.rule("18.12")
async def test_a_live_session_makes_a_value_anew_that_died_with_its_process() -> None:
    async with WorkerPool() as pool:
        spell = spell_of({"a": "object()", "b": "[x is not None, n]"}, "a.result b.x")
        plan = spellwork.compile(spell, LIBRARY, {"b.n": 1})
        events: list[Any] = []
        memory = Memory()
        session = LiveSession(plan, executors={"worker": pool}, sink=events.append, memory=memory)
        async with session:
            await session.settled()
            value: Handle = memory.nodes["a"].outputs["result"]
            kill(pool)
            async with asyncio.timeout(30):
                while value.gone is None:
                    await asyncio.sleep(0.005)
            session.set("b.n", 2)
            await session.settled()
        done = [(event.node, event.why) for event in events if event.kind == "node.done"]
        assert done[-2:] == [("a", "worker restarted"), ("b", "input changed (x)")]
        assert memory.nodes["b"].outputs == {"result": [True, 2]}


@pytest.mark.rule("18.13")
async def test_values_in_workers_pass_through_gates_and_all_and_maps(pool: WorkerPool) -> None:
    spell = spell_of(
        {
            "a": "import builtins\nresult = builtins.made = object()\nother = 3",
            "gate": {"type": "core.gate"},
            "b": "import builtins\n[x is builtins.made, whole['result'] is x, whole['other']]",
        },
        "a.result gate.value",
        "gate.value b.x",
        "a.all b.whole",
    )
    result = await run(pool, spell)
    assert (result.errors, result.outputs["b"]) == ({}, {"result": [True, True, 3]})


@pytest.mark.rule("18.13")
async def test_chunks_of_a_stream_may_stay_in_the_worker(pool: WorkerPool) -> None:
    spell = spell_of(
        {
            "a": "def f():\n    for n in range(3):\n        yield (n, {n})",
            "b": "from typing import Iterator\ndef f(items: Iterator):\n    return [[type(i).__name__, i[0]] for i in items]",
        },
        "a.result b.items",
    )
    result = await run(pool, spell)
    assert (result.errors, result.outputs["b"]) == (
        {},
        {"result": [["tuple", 0], ["tuple", 1], ["tuple", 2]]},
    )


@pytest.mark.rule("18.14")
def test_a_script_gets_plain_json_and_else_what_was_told() -> None:
    spell = spell_of({"a": "(1, 2)", "b": "list(range(20_000))", "c": "object()"})
    result = spellwork.run(spell, library=LIBRARY)
    assert result.outputs["a"] == {"result": [1, 2]}
    assert len(result.outputs["b"]["result"]) == 20_000
    told = result.outputs["c"]["result"]
    assert (told["kind"], told["encodings"]) == ("object", [])
    assert told["preview"] is None or told["preview"]["form"] == "text"


async def test_handles_are_found_in_values_and_replaced(cells: Bench) -> None:
    value = (await cells.keep("(1, 2)"))["result"]
    nested = [1, {"a": [value]}, value]
    assert [path for path, _ in handles_in(nested)] == [[1, "a", 0], [2]]
    assert await decoded(nested) == [1, {"a": [[1, 2]]}, [1, 2]]
