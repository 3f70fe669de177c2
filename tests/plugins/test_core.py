"""Core nodes, each by a table of calls: type, inputs, outputs."""

from __future__ import annotations

from typing import Any

import pytest

import spellwork
from spellwork import Event, Library, RunResult
from spellwork_core import pack

from .conftest import RunNode

pytestmark = pytest.mark.anyio

ROWS = [{"n": 3, "s": "b"}, {"n": 1, "s": "a"}, {"n": None, "s": "a"}, {"n": 2, "s": "c"}]

CALLS: list[tuple[str, dict[str, Any], Any]] = [
    ("core.value", {"value": {"a": [1, None]}}, {"a": [1, None]}),
    ("core.value", {}, None),
    ("core.number", {"value": 2.0}, 2),
    ("core.number", {"value": 2.5}, 2.5),
    ("core.text", {"text": "x"}, "x"),
    ("core.boolean", {"value": True}, True),
    ("core.output", {"value": 1}, 1),
    ("core.template", {"template": "Hi {name}, {n} {{x}}", "name": "Ada", "n": 2}, "Hi Ada, 2 {x}"),
    ("core.template", {"template": '{"json": {value}, "a": {}}', "value": {"b": 1}}, '{"json": {"b": 1}, "a": {}}'),
    ("core.template", {"template": "{x.__class__} {x[0]} {x!r}", "x": 1}, "{x.__class__} {x[0]} {x!r}"),
    ("core.template", {"template": "{none}.", "none": None}, "."),
    ("core.split", {"text": "a,b,c", "separator": ","}, ["a", "b", "c"]),
    ("core.split", {"text": "a\nb"}, ["a", "b"]),
    ("core.split", {"text": "a\tb", "separator": "\\t"}, ["a", "b"]),
    ("core.split", {"text": "a,b,c", "separator": ",", "limit": 1}, ["a", "b,c"]),
    ("core.join", {"items": ["a", 1, None], "separator": "-"}, "a-1-"),
    ("core.replace", {"text": "aba", "find": "a", "by": "x"}, "xbx"),
    ("core.case", {"text": " Ab ", "to": "trimmed"}, "Ab"),
    ("core.json_parse", {"text": '{"a": [1]}'}, {"a": [1]}),
    ("core.json_format", {"value": {"b": "é"}, "indent": 0}, '{"b": "é"}'),
    ("core.json_pick", {"value": {"a": {"b": [10, 20]}}, "path": "a.b[-1]"}, 20),
    ("core.json_pick", {"value": {"two words": 1}, "path": '$["two words"]'}, 1),
    ("core.json_pick", {"value": [{"x": 1}, {"x": 2}], "path": "[*].x"}, [1, 2]),
    ("core.json_pick", {"value": {}, "path": "a.b", "default": 7, "strict": False}, 7),
    ("core.json_pick", {"value": 5, "path": ""}, 5),
    ("core.length", {"value": [1, 2]}, 2),
    ("core.length", {"value": "abc"}, 3),
    ("core.item", {"items": [1, 2], "index": -1}, 2),
    ("core.slice", {"items": [1, 2, 3], "start": 1}, [2, 3]),
    ("core.sort", {"items": [3, "b", 1, None, "a"]}, [1, 3, "a", "b", None]),
    ("core.sort", {"items": ROWS, "by": "n", "descending": True}, [ROWS[0], ROWS[3], ROWS[1], ROWS[2]]),
    ("core.filter", {"items": ROWS, "field": "n", "operator": "is at least", "value": 2}, [ROWS[0], ROWS[3]]),
    ("core.filter", {"items": [0, None, "", "a"]}, [0, "a"]),
    ("core.filter", {"items": ["ab", "c"], "operator": "contains", "value": "b"}, ["ab"]),
    ("core.filter", {"items": [1, 2, 3], "operator": "is one of", "value": [1, 3]}, [1, 3]),
    ("core.unique", {"items": [1, 2, 1, {"a": 1}, {"a": 1}]}, [1, 2, {"a": 1}]),
    ("core.unique", {"items": ROWS, "by": "s"}, [ROWS[0], ROWS[1], ROWS[3]]),
    ("core.range", {"end": 3}, [0, 1, 2]),
    ("core.range", {"end": 0, "start": 3, "step": -2}, [3, 1]),
    ("core.aggregate", {"items": ROWS, "field": "n", "how": "mean"}, 2.0),
    ("core.aggregate", {"items": [], "how": "max"}, None),
    ("core.chunks", {"value": [1, 2, 3], "size": 2}, [[1, 2], [3]]),
    ("core.chunks", {"value": [1, 2], "seconds": 0.001}, [1, 2]),
    ("core.chunks", {"value": "abc", "size": 2}, "abc"),
    ("core.batch", {"chunks": [1, 2, 3], "size": 2}, [[1, 2], [3]]),
    ("core.take", {"chunks": [1, 2, 3, 4], "count": 2, "skip": 1}, [2, 3]),
    ("core.take", {"chunks": [1, 2], "count": 0}, []),
    ("core.take", {"chunks": [1, 2], "count": 9}, [1, 2]),
    ("core.lines", {"text": "a\nb\n\nc"}, "a\nb\n\nc"),
    ("core.collect", {"chunks": [1, "a"]}, [1, "a"]),
    ("core.collect", {"chunks": "text"}, "text"),
    ("core.compare", {"left": 2, "operator": "is greater than", "right": 1}, True),
    ("core.compare", {"left": "2", "operator": "is greater than", "right": 1}, False),
    ("core.date_format", {"time": "2026-03-01T10:00:00+00:00", "format": "%d.%m. %H:%M", "zone": "Asia/Tokyo"}, "01.03. 19:00"),
    ("core.delay", {"value": 1, "seconds": 0}, 1),
    ("core.debug", {"value": {"a": 1}}, {"a": 1}),
    ("core.fail", {"value": 1, "unless": True}, 1),
    ("core.markdown", {"text": "# x"}, "# x"),
    ("core.image", {"image": "data:image/png;base64,AA=="}, "data:image/png;base64,AA=="),
    ("core.regex", {"text": "a1 b22", "pattern": r"\d+"}, ["1", "22"]),
    ("core.regex", {"text": "k=v", "pattern": r"(?P<key>\w)=(?P<value>\w)", "first": True}, {"key": "k", "value": "v"}),
    ("core.select", {"table": ROWS, "columns": ["s"], "limit": 2}, [{"s": "b"}, {"s": "a"}]),
    ("core.csv", {"text": "a;b\n1;x\n2,5;y\n"}, [{"a": "1", "b": "x"}, {"a": "2,5", "b": "y"}]),
    ("core.csv", {"text": "a,b,c,d\n1,2.5,TRUE,007\nNA,,false,008\n"}, [{"a": 1, "b": 2.5, "c": True, "d": "007"}, {"a": None, "b": None, "c": False, "d": "008"}]),
    ("core.csv", {"text": "data:text/csv;base64,eCx5CjEsMgo="}, [{"x": 1, "y": 2}]),
    ("core.csv", {"text": "data:,a%2Cb%0A1%2C2"}, [{"a": 1, "b": 2}]),
    ("core.csv", {"text": '\ufeffname,note\nAda,"two\nlines, and a comma"\n'}, [{"name": "Ada", "note": "two\nlines, and a comma"}]),
    ("core.csv", {"text": "1|2\n3|4", "header": False}, [{"column 1": 1, "column 2": 2}, {"column 1": 3, "column 2": 4}]),
    ("core.csv", {"text": "a,a,\n1,2,3", "types": False}, [{"a": "1", "a (again)": "2", "column 3": "3"}]),
    ("core.csv", {"text": ""}, []),
    ("core.group", {"table": [{"k": "x", "v": 1}, {"k": "x", "v": 3}, {"k": "a", "v": None}], "by": ["k"]}, [{"k": "a", "count": 1, "mean_v": None}, {"k": "x", "count": 2, "mean_v": 2.0}]),
]  # fmt: skip


@pytest.mark.parametrize(("type", "inputs", "value"), CALLS, ids=[call[0] for call in CALLS])
async def test_a_node_gives_what_it_says(
    run_node: RunNode, type: str, inputs: dict[str, Any], value: Any
) -> None:
    result = await run_node(type, **inputs)
    assert result.errors == {}
    assert next(iter(result.outputs["n"].values())) == value


FAILURES: list[tuple[str, dict[str, Any], str, str]] = [
    ("core.fail", {"message": "stop here"}, "failed", "stop here"),
    ("core.json_parse", {"text": "{"}, "node_error", "not JSON"),
    ("core.json_pick", {"value": {"a": 1, "b": 2}, "path": "c"}, "node_error", "'a', 'b'"),
    ("core.json_pick", {"value": [], "path": "[0]"}, "node_error", "no item 0"),
    ("core.json_pick", {"value": {}, "path": "a..b["}, "node_error", "cannot be read"),
    ("core.item", {"items": []}, "node_error", "no item 0 in a list of 0"),
    ("core.range", {"end": 10**9}, "node_error", "at most"),
    ("core.range", {"end": 1, "step": 0}, "node_error", "step"),
    ("core.aggregate", {"items": ["x"]}, "node_error", "not a number"),
    ("core.select", {"table": ROWS, "columns": ["zz"]}, "node_error", "it has n, s"),
    ("core.plot", {"table": ROWS, "x": "zz"}, "node_error", "it has n, s"),
    ("core.csv", {"text": "data:text/csv;base64,!!"}, "node_error", "broken"),
    ("core.csv", {"text": 'a\n"open'}, "node_error", "not CSV"),
    ("core.regex", {"text": "x", "pattern": "("}, "node_error", "no regular expression"),
    ("core.date_format", {"time": "today"}, "node_error", "no ISO date"),
    ("core.date_format", {"time": "2026-01-01", "zone": "../etc"}, "node_error", "no time zone"),
    ("core.image", {"image": "http://x"}, "exception", "data:image"),
    ("core.map", {"items": [1]}, "node_error", "say what to do"),
]


@pytest.mark.parametrize(
    ("type", "inputs", "code", "said"), FAILURES, ids=[call[0] for call in FAILURES]
)
async def test_a_node_fails_in_clear_words(
    run_node: RunNode, type: str, inputs: dict[str, Any], code: str, said: str
) -> None:
    failure = (await run_node(type, **inputs)).errors["n"]
    assert failure.code == code
    assert said in failure.message


async def run_spell(
    library: Library, nodes: dict[str, Any], *wires: str, sink: list[Event] | None = None
) -> RunResult:
    """Run a spell whose wires are written ``a.out > b.in``."""
    edges = {}
    for place, wire in enumerate(wires):
        source, target = (end.strip().split(".") for end in wire.split(">"))
        edges[f"e{place}"] = {
            "source": source[0],
            "output": source[1],
            "target": target[0],
            "input": target[1],
        }
    spell = {"schema": 1, "nodes": nodes, "edges": edges}
    return await spellwork.run_async(
        spell, library=library, sink=None if sink is None else sink.append
    )


@pytest.mark.parametrize(
    ("condition", "ran", "skipped"), [(True, "yes", "no"), (0, "no", "yes"), ([], "no", "yes")]
)
async def test_if_runs_one_way_and_merge_brings_it_back(
    library: Library, condition: Any, ran: str, skipped: str
) -> None:
    nodes = {
        "if": {"type": "core.if", "inputs": {"value": 7, "condition": condition}},
        "yes": {"type": "code.python", "code": "x + 1"},
        "no": {"type": "code.python", "code": "x - 1"},
        "merge": {"type": "core.merge"},
    }
    result = await run_spell(
        library,
        nodes,
        "if.then > yes.x",
        "if.else > no.x",
        "yes.result > merge.values",
        "no.result > merge.values",
    )
    assert result.errors == {}
    assert skipped in result.skipped
    assert result.outputs["merge"] == {
        "value": result.outputs[ran]["result"],
        "all": [result.outputs[ran]["result"]],
    }


@pytest.mark.parametrize(("value", "way"), [("yes", "yes"), ("no", "no"), ("maybe", "default")])
async def test_switch_has_an_output_per_case(library: Library, value: str, way: str) -> None:
    nodes = {
        "switch": {
            "type": "core.switch",
            "inputs": {"value": value, "cases": ["yes", "no"], "payload": 1},
        },
        **{name: {"type": "core.value"} for name in ("yes", "no", "default")},
    }
    result = await run_spell(
        library, nodes, *(f"switch.{name} > {name}.value" for name in ("yes", "no", "default"))
    )
    assert {name for name in ("yes", "no", "default") if name in result.outputs} == {way}
    assert result.outputs[way] == {"value": 1}


async def test_concat_collects_all_its_wires(library: Library) -> None:
    nodes = {
        "a": {"type": "core.value", "inputs": {"value": [1, 2]}},
        "b": {"type": "core.value", "inputs": {"value": 3}},
        "c": {"type": "core.concat"},
    }
    result = await run_spell(library, nodes, "a.value > c.lists", "b.value > c.lists")
    assert result.outputs["c"] == {"items": [1, 2, 3]}


@pytest.mark.parametrize(
    ("code", "inputs", "items"),
    [
        ("item * 10 + index", {}, [10, 21, 32]),
        ("def f(n, k=2):\n    return n * k", {}, [2, 4, 6]),
        ("item * factor", {"factor": 5}, [5, 10, 15]),
        (
            "double = item * 2\nsquare = item ** 2",
            {},
            [{"double": n * 2, "square": n * n} for n in (1, 2, 3)],
        ),
        ("if item == 2:\n    raise ValueError('two')\nitem", {"on_error": "null"}, [1, None, 3]),
    ],
)
async def test_map_applies_code_to_every_item_in_order(
    run_node: RunNode, code: str, inputs: dict[str, Any], items: list[Any]
) -> None:
    result = await run_node("core.map", code=code, items=[1, 2, 3], **inputs)
    assert result.errors == {}
    assert result.outputs["n"]["items"] == items


async def test_map_applies_a_node_type_several_at_once(run_node: RunNode) -> None:
    result = await run_node(
        "core.map", items=["a", "b"], type="core.template", input="x", template="<{x}>", at_once=2
    )
    assert result.errors == {}
    assert result.outputs["n"]["items"] == ["<a>", "<b>"]


async def test_a_failing_item_fails_the_map_and_is_named(run_node: RunNode) -> None:
    result = await run_node("core.map", code="1 / item", items=[1, 0, 2])
    assert result.errors["n"].code == "exception"
    assert result.errors["n"].message.startswith("item 1: ZeroDivisionError")


async def test_an_unknown_type_in_a_map_is_told(run_node: RunNode) -> None:
    result = await run_node("core.map", items=[1], type="core.nothing")
    assert "core.nothing" in result.errors["n"].message


async def test_a_hostile_pattern_is_stopped_and_the_server_goes_on(library: Library) -> None:
    nodes = {
        "bad": {
            "type": "core.regex",
            "inputs": {"text": "a" * 40 + "b", "pattern": "(a+)+$"},
            "settings": {"timeout": 1.0},
        },
        "good": {"type": "core.regex", "inputs": {"text": "a1", "pattern": r"\d"}},
    }
    result = await run_spell(library, nodes)
    assert result.errors["bad"].code == "timeout"
    assert result.outputs["good"] == {"matches": ["1"]}


async def test_the_debug_log_shows_the_value(run_node: RunNode, events: list[Event]) -> None:
    await run_node("core.debug", value=[1], label="seen", level="warning")
    assert [(event.message, event.level) for event in events if event.kind == "node.log"] == [
        ("seen: [1]", "warning")
    ]


def test_a_templates_places_are_its_inputs(library: Library) -> None:
    node = spellwork.Node(type="core.template", inputs={"template": "{b} {a} {b} {{c}}"})
    ports = library.ports(node)
    assert ports is not None
    assert [port.name for port in ports.inputs] == ["template", "b", "a"]


async def test_a_template_that_comes_by_wire_takes_any_inputs(library: Library) -> None:
    nodes = {
        "t": {"type": "core.text", "inputs": {"text": "Hi {who}"}},
        "n": {"type": "core.template", "inputs": {"who": "Ada"}},
    }
    result = await run_spell(library, nodes, "t.text > n.template")
    assert result.outputs["n"] == {"text": "Hi Ada"}


async def test_a_table_is_described_column_by_column(run_node: RunNode) -> None:
    result = await run_node("core.describe", table=ROWS)
    n, s = result.outputs["n"]["summary"]
    assert (n["kind"], n["values"], n["missing"], n["mean"], n["min"], n["max"]) == (
        "number",
        3,
        1,
        2.0,
        1,
        3,
    )
    assert (s["kind"], s["unique"], s["most_common"]) == ("text", 3, "a")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bar", {"mark": "bar", "x": "nominal", "y": "quantitative"}),
        ("line", {"mark": "line", "x": "nominal", "y": "quantitative"}),
        ("scatter", {"mark": "point", "x": "nominal", "y": "quantitative"}),
    ],
)
async def test_a_plot_is_a_vega_lite_specification_with_its_data(
    run_node: RunNode, kind: str, expected: dict[str, str]
) -> None:
    table = [
        {"day.of": "2026-01-01", "city": "Graz", "n": 1},
        {"day.of": "2026-01-02", "city": "Wien", "n": 2},
    ]
    result = await run_node(
        "core.plot", table=table, kind=kind, x="city", y="n", color="day.of", title="T"
    )
    spec = result.outputs["n"]["plot"]
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    mark = spec["mark"]
    assert (mark if isinstance(mark, str) else mark["type"]) == expected["mark"]
    encoding = spec["encoding"]
    assert (encoding["x"]["type"], encoding["y"]["type"]) == (expected["x"], expected["y"])
    assert (encoding["color"]["field"], encoding["color"]["type"]) == ("day\\.of", "temporal")
    assert len(spec["data"]["values"]) == 2
    assert spec["title"] == "T"


async def test_a_histogram_counts_and_a_long_table_is_thinned(
    run_node: RunNode, events: list[Event]
) -> None:
    table = [{"v": n % 7, "w": "unused"} for n in range(12_000)]
    result = await run_node("core.plot", table=table, kind="histogram", x="v")
    spec = result.outputs["n"]["plot"]
    assert spec["encoding"]["y"]["aggregate"] == "count"
    assert len(spec["data"]["values"]) <= 5_000
    assert set(spec["data"]["values"][0]) == {"v"}
    assert any("12,000" in (event.message or "") for event in events)


# Streams


async def streams_of(nodes: dict[str, Any], *wires: tuple[str, str, str, str]) -> RunResult:
    edges = {
        f"e{place}": dict(zip(("source", "output", "target", "input"), wire, strict=True))
        for place, wire in enumerate(wires)
    }
    spell = spellwork.Spell.model_validate({"nodes": nodes, "edges": edges})
    plan = spellwork.compile(spell, Library([pack]))
    return await spellwork.Execution(plan).run()


async def test_lines_come_whole_whatever_the_pieces() -> None:
    text = "one\ntwo\r\n\nlast"
    for size in (1, 2, 5, 100):
        result = await streams_of(
            {
                "c": {"type": "core.chunks", "inputs": {"value": text, "size": size}},
                "l": {"type": "core.lines"},
                "b": {"type": "core.batch", "inputs": {"size": 100}},
            },
            ("c", "chunks", "l", "text"),
            ("l", "lines", "b", "chunks"),
        )
        assert result.outputs["b"] == {"batches": [["one\n", "two\r\n", "\n", "last"]]}


async def test_merged_streams_come_as_they_come() -> None:
    slow = {"type": "core.chunks", "inputs": {"value": [1, 2], "seconds": 0.05}}
    result = await streams_of(
        {
            "a": slow,
            "b": {"type": "core.chunks", "inputs": {"value": ["x", "y", "z"]}},
            "m": {"type": "core.merge_streams"},
        },
        ("a", "chunks", "m", "streams"),
        ("b", "chunks", "m", "streams"),
    )
    assert result.outputs["m"]["chunks"][-1] == 2
    assert sorted(map(str, result.outputs["m"]["chunks"])) == ["1", "2", "x", "y", "z"]


async def test_who_takes_some_of_a_stream_does_not_slow_the_rest() -> None:
    result = await streams_of(
        {
            "c": {"type": "core.chunks", "inputs": {"value": list(range(2_000))}},
            "t": {"type": "core.take", "inputs": {"count": 3}},
        },
        ("c", "chunks", "t", "chunks"),
    )
    assert result.outputs["t"] == {"chunks": [0, 1, 2]}
    assert len(result.outputs["c"]["chunks"]) == 2_000
