"""Tests of spells: what stands for calls, what is judged and how, what is refused, and what is wrong with one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from spellwork import (
    Context,
    Execution,
    InvalidInput,
    Library,
    Limits,
    Migrated,
    Pack,
    Plan,
    RunResult,
    Spell,
    Workflow,
    compile,
    node,
    validate,
)
from spellwork.analysis import Analysis
from spellwork.difference import difference
from spellwork.formats import forms
from spellwork.formats.folder import from_files, to_files
from spellwork.spell_tests import (
    Chosen,
    TestResult,
    last_nodes,
    make_test,
    recordable,
    run_spell_tests,
    run_tests,
)
from spellwork.spell_tests.conforming import departure, schema_fault
from spellwork.spell_tests.equality import first_difference
from tests.spells.drawing import edges_of
from tests.spells.nodes import library as plain

pytestmark = pytest.mark.anyio

sent: list[str] = []
"""What ``w.send`` sent into the world."""


@node("w.send", output="value", side_effects=True)
async def send(text: str = "") -> str:
    """Do something that cannot be undone."""
    sent.append(text)
    return f"sent {text}"


@node("w.ask", output="answer", limiter="llm")
async def ask(prompt: str = "") -> str:
    """Cost money."""
    sent.append(prompt)
    return prompt.upper()


@node("w.dice", output="value", cache="none")
async def dice() -> int:
    """Give another number each time."""
    return 4


@node("w.by_name", output="value")
async def by_name(ctx: Context, text: str = "") -> Any:
    """Call a node that nobody sees on the canvas."""
    return (await ctx.call("w.send", {"text": text}))["value"]


@node(
    "w.renamed",
    output="fresh",
    version=2,
    migrate={1: lambda given: Migrated(given, {"old_in": "new_in"}, {"old": "fresh"})},
)
async def renamed(new_in: int = 0) -> int:
    """Have ports with other names than before."""
    return new_in


WORLD = Pack(name="w", version="1", title="World", nodes=(send, ask, dice, by_name, renamed))
library = Library([*plain.packs, WORLD])


@pytest.fixture(autouse=True)
def _nothing_sent() -> None:
    sent.clear()


def draw(nodes: Mapping[str, Any], *wires: str) -> Spell:
    return Spell.model_validate({"nodes": nodes, "edges": edges_of(wires)})


def with_tests(spell: Spell, **tests: Mapping[str, Any]) -> Spell:
    return Spell.model_validate(spell.to_json() | {"tests": tests})


async def execute(plan: Plan, limits: Limits) -> RunResult:
    return await Execution(plan, limits=limits).run()


async def outcomes(spell: Spell, *names: str, library: Library = library) -> list[TestResult]:
    return await run_tests(spell, library, execute, tests=names or None)


async def outcome(spell: Spell, **test: Any) -> TestResult:
    return (await outcomes(with_tests(spell, t=test)))[0]


def equals(value: Any, **more: Any) -> dict[str, Any]:
    return {"op": "equals", "value": value} | more


def value(given: Any) -> dict[str, Any]:
    return {"type": "t.value", "inputs": {"value": given}}


CHAIN = draw(
    {
        "a": value("hello"),
        "send": {"type": "w.send"},
        "up": {"type": "t.upper"},
    },
    "a.value -> send.text",
    "send.value -> up.text",
)


# What stands for calls


@pytest.mark.rule("22.3")
async def test_a_recorded_node_is_not_called_and_what_only_it_needs_does_not_run() -> None:
    done = await outcome(
        CHAIN,
        record={"send": {"outputs": {"value": "ok"}}},
        expect={"up": {"outputs": {"text": equals("OK")}}},
    )
    assert done.outcome == "passed", done
    assert done.called == ["up"]
    assert sent == []


@pytest.mark.rule("22.3")
async def test_a_recorded_failure_stands_for_the_call() -> None:
    done = await outcome(
        CHAIN,
        record={"send": {"failure": {"code": "refused", "message": "not today"}}},
        expect={
            "send": {"status": "failed", "code": "refused"},
            "up": {"status": "skipped"},
        },
    )
    assert done.outcome == "passed", done
    assert sent == []


@pytest.mark.rule("22.3")
async def test_a_type_that_is_not_known_here_may_be_recorded() -> None:
    spell = draw({"x": {"type": "far.away"}, "up": {"type": "t.upper"}}, "x.text -> up.text")
    done = await outcome(
        spell,
        record={"x": {"outputs": {"text": "a"}}},
        expect={"up": {"outputs": {"text": equals("A")}}},
    )
    assert done.outcome == "passed", done
    failing = await outcome(
        spell, record={"x": {"failure": {"code": "gone"}}}, expect={"up": {"status": "skipped"}}
    )
    assert failing.outcome == "passed", failing


@pytest.mark.rule("22.3")
async def test_what_a_muted_node_left_and_an_output_that_nothing_came_to_are_recorded_like_others() -> (
    None
):
    muted = Spell.model_validate(
        CHAIN.to_json()
        | {
            "nodes": CHAIN.to_json()["nodes"]
            | {"send": {"type": "w.send", "settings": {"mode": "mute"}}}
        }
    )
    done = await outcome(
        muted,
        record={"send": {"outputs": {"value": "x"}}},
        expect={"up": {"outputs": {"text": equals("X")}}},
    )
    assert done.outcome == "passed", done
    nothing = await outcome(
        CHAIN, record={"send": {"outputs": {}}}, expect={"up": {"status": "skipped"}}
    )
    assert nothing.outcome == "passed", nothing


@pytest.mark.rule("22.4")
async def test_only_what_is_expected_runs_with_all_it_needs() -> None:
    spell = draw(
        {"a": value(2), "half": {"type": "t.half"}, "bad": {"type": "t.fail"}},
        "a.value -> half.value",
    )
    done = await outcome(spell, expect={"half": {"outputs": {"value": equals(1)}}})
    assert (done.outcome, done.called) == ("passed", ["a", "half"])


@pytest.mark.rule("22.4")
async def test_a_test_that_expects_nothing_fails_where_a_node_does() -> None:
    spell = draw({"a": value(2), "bad": {"type": "t.fail"}})
    done = await outcome(spell)
    assert done.outcome == "failed"
    assert done.failure is not None
    assert (done.failure.node, done.failure.code) == ("bad", "exception")
    assert (await outcome(draw({"a": value(2)}))).outcome == "passed"


async def test_inputs_are_those_of_a_run() -> None:
    spell = draw({"a": value(2), "half": {"type": "t.half"}}, "a.value -> half.value")
    done = await outcome(
        spell, inputs={"a.value": 10}, expect={"half": {"outputs": {"value": equals(5)}}}
    )
    assert done.outcome == "passed"
    wrong = await outcome(spell, inputs={"b.value": 10}, expect={"half": {}})
    assert wrong.outcome == "error"
    assert wrong.failure is not None
    assert wrong.failure.code == "invalid_input"


# What is refused


@pytest.mark.rule("22.5")
@pytest.mark.parametrize("type", ["w.send", "w.ask"])
async def test_what_has_side_effects_or_costs_money_is_not_called_unless_the_test_says_so(
    type: str,
) -> None:
    spell = draw({"n": {"type": type}})
    refused = await outcome(spell, expect={"n": {}})
    assert refused.outcome == "error"
    assert refused.failure is not None
    assert (refused.failure.code, refused.failure.node) == ("not_recorded", "n")
    assert sent == []
    live = await outcome(spell, expect={"n": {}}, live=True)
    assert live.outcome == "passed"
    assert len(sent) == 1


@pytest.mark.rule("22.5")
async def test_a_call_from_within_a_call_is_refused_where_it_is_made() -> None:
    done = await outcome(draw({"n": {"type": "w.by_name"}}), expect={"n": {}})
    assert done.outcome == "failed"
    assert done.assertions[0].actual == "failed (not_recorded)"
    assert sent == []


@pytest.mark.rule("22.5")
async def test_a_spell_inside_the_spell_sends_nothing_either() -> None:
    core = Library.installed()
    both = Library([*core.packs, WORLD])
    spell = Spell.model_validate(
        {
            "nodes": {
                "each": {
                    "type": "core.map",
                    "inputs": {"items": ["x"]},
                    "settings": {"body": {"type": "w.send"}},
                },
            },
        }
    )
    [done] = await outcomes(with_tests(spell, t={"expect": {"each": {}}}), library=both)
    assert done.failure is not None, done
    assert done.failure.code == "not_recorded"
    assert sent == []


# What is judged


@pytest.mark.rule("22.2")
@pytest.mark.parametrize(
    ("assertion", "given", "passes"),
    [
        (equals(1), 1.0, True),
        (equals(1), True, False),
        (equals({"a": 1, "b": [None]}), {"b": [None], "a": 1}, True),
        (equals(0.3, tolerance=0.01), 0.305, True),
        (equals(0.3, tolerance=0.001), 0.305, False),
        (equals([1, 2]), [1, 2, 3], False),
        (equals(None), None, True),
        (equals(2, path="rows[1].n"), {"rows": [{"n": 1}, {"n": 2}]}, True),
        (equals(2, path="rows[9].n"), {"rows": []}, False),
        ({"op": "contains", "value": "ell"}, "hello", True),
        ({"op": "contains", "value": {"a": 1}}, [{"a": 1}], True),
        ({"op": "contains", "value": {"a": 1}}, {"a": 1, "b": 2}, True),
        ({"op": "contains", "value": {"a": 2}}, {"a": 1}, False),
        ({"op": "contains", "value": 1}, 1, False),
        ({"op": "type", "value": "integer"}, 2.0, True),
        ({"op": "type", "value": "integer"}, True, False),
        ({"op": "length", "value": 2}, "ab", True),
        ({"op": "length", "value": 2}, 2, False),
        ({"op": "matches", "value": {"type": "array", "minItems": 1}}, [1], True),
        ({"op": "matches", "value": {"type": "array", "minItems": 1}}, [], False),
        ({"op": "matches", "value": {"nonsense": 1}}, [], False),
    ],
)
async def test_assertions(assertion: Any, given: Any, passes: bool) -> None:
    done = await outcome(draw({"a": value(given)}), expect={"a": {"outputs": {"value": assertion}}})
    assert (done.outcome == "passed") == passes, done
    assert done.assertions[0].passed == passes
    assert bool(done.assertions[0].message) != passes


@pytest.mark.rule("22.6")
async def test_a_failed_assertion_says_where_it_differs_first_and_shows_no_more_than_fits() -> None:
    rows = [{"name": "ann"}, {"name": "x" * 9_000}]
    done = await outcome(
        draw({"a": value(rows)}),
        expect={"a": {"outputs": {"value": equals([{"name": "ann"}, {"name": "bob"}])}}},
    )
    [told] = done.assertions
    assert (told.path, told.expected, told.cut) == ("$[1].name", "bob", True)
    assert isinstance(told.actual, str)
    assert len(told.actual) <= 2_000


@pytest.mark.rule("22.6")
async def test_a_node_that_failed_or_was_skipped_says_why() -> None:
    spell = draw({"bad": {"type": "t.fail"}, "up": {"type": "t.upper"}}, "bad.value -> up.text")
    done = await outcome(spell, expect={"bad": {}, "up": {"outputs": {"text": equals("")}}})
    assert done.outcome == "failed"
    assert "no" in done.assertions[0].message
    assert done.assertions[1].actual == "skipped"
    absent = await outcome(spell, expect={"gone": {}})
    assert absent.assertions[0].actual == "not run"


@pytest.mark.rule("22.6")
async def test_a_test_that_does_not_end_in_its_time_is_an_error() -> None:
    done = await outcome(
        draw({"w": {"type": "t.wait", "inputs": {"seconds": 30}}}), expect={"w": {}}, timeout=0.05
    )
    assert done.outcome == "error"
    assert done.failure is not None
    assert done.failure.code == "run_timeout"


@pytest.mark.rule("22.7")
async def test_tests_run_beside_each_other_and_come_back_in_order() -> None:
    spell = with_tests(
        draw({"a": value(1)}),
        **{f"t{n}": {"expect": {"a": {"outputs": {"value": equals(n % 2)}}}} for n in range(9)},
    )
    under_way, most = 0, 0

    async def slowly(plan: Plan, limits: Limits) -> RunResult:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        result = await execute(plan, limits)
        under_way -= 1
        return result

    done = await run_tests(spell, library, slowly)
    assert [each.test for each in done] == sorted(spell.tests)
    assert [each.outcome == "passed" for each in done] == [n % 2 == 1 for n in range(9)]
    assert 1 < most <= 4


async def test_a_test_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no test 'nope'"):
        await outcomes(draw({"a": value(1)}), "nope")


async def test_a_spell_that_cannot_be_compiled_is_the_error_of_its_tests() -> None:
    done = await outcome(draw({"x": {"type": "far.away"}}), expect={"x": {}})
    assert done.outcome == "error"
    assert done.failure is not None
    assert (done.failure.code, done.failure.node) == ("unknown_node_type", "x")


# What is wrong with a test


@pytest.mark.rule("22.8")
def test_what_is_wrong_with_a_test_is_a_warning_with_its_path() -> None:
    spell = with_tests(
        draw({"a": value(1), "up": {"type": "t.upper", "inputs": {"text": "x"}}}),
        t={
            "inputs": {"b.value": 1},
            "record": {"gone": {"outputs": {}}, "up": {"outputs": {"txt": 1}}},
            "expect": {
                "up": {"outputs": {"value": equals(1)}},
                "a": {"outputs": {"value": {"op": "matches", "value": {"type": "nothing"}}}},
            },
        },
    )
    found = [problem for problem in validate(spell, library) if problem.code == "invalid_test"]
    assert {problem.severity for problem in found} == {"warning"}
    assert [problem.details["path"] for problem in found] == [
        ["inputs", "b.value"],
        ["record", "gone"],
        ["record", "up", "outputs", "txt"],
        ["expect", "up", "outputs", "value"],
        ["expect", "a", "outputs", "value"],
    ]
    assert "text" in found[2].details["allowed"]
    assert compile(spell, library).running == ["a", "up"]


@pytest.mark.rule("22.11")
@pytest.mark.parametrize(
    "schema",
    [
        {"typ": "string"},
        {"type": "text"},
        {"pattern": "("},
        {"$ref": "https://example.org/a.json"},
        {"items": [{"type": "string"}]},
        {"minLength": -1},
        [],
        {"anyOf": [{"no": 1}]},
    ],
)
def test_a_schema_that_cannot_be_read_is_told(schema: Any) -> None:
    assert schema_fault(schema)


@pytest.mark.rule("22.11")
@pytest.mark.parametrize(
    ("schema", "given", "path"),
    [
        ({"type": ["string", "null"]}, 1, "$"),
        ({"required": ["a"]}, {}, "$"),
        ({"properties": {"a": {"type": "string"}}}, {"a": 1}, "$.a"),
        ({"additionalProperties": False}, {"b c": 1}, '$["b c"]'),
        ({"items": {"minimum": 3}}, [3, 2], "$[1]"),
        ({"prefixItems": [{"const": 1}], "items": {"const": 2}}, [1, 1], "$[1]"),
        ({"enum": [1, "a"]}, "b", "$"),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1, "$"),
        ({"not": {"type": "null"}}, None, "$"),
        ({"pattern": "^a+$"}, "aab", "$"),
        ({"uniqueItems": True}, [1, 2, 1.0], "$[2]"),
        ({"contains": {"type": "string"}}, [1], "$"),
        ({"multipleOf": 0.1}, 0.25, "$"),
        ({"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}}, ["x"], "$[0]"),
        ({"$ref": "#"}, 1, "$"),
        (False, 1, "$"),
    ],
)
def test_a_value_is_held_to_a_schema(schema: Any, given: Any, path: str) -> None:
    found = departure(schema, given)
    assert found is not None
    assert found[0] == path


@pytest.mark.rule("22.11")
async def test_a_schema_cannot_hold_a_process_up() -> None:
    shared = {
        "op": "matches",
        "value": {
            "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
            | {"d40": {}},
            "$ref": "#/$defs/d0",
        },
    }
    slow = {"op": "matches", "value": {"pattern": "^(a+)+$"}}
    done = await outcome(
        draw({"a": value("a" * 5_000 + "!")}),
        expect={"a": {"outputs": {"value": shared}}},
    )
    assert "too long" in done.assertions[0].message
    done = await outcome(
        draw({"a": value("a" * 5_000 + "!")}), expect={"a": {"outputs": {"value": slow}}}
    )
    assert done.outcome == "failed"


def test_the_first_difference_is_found_without_recursion() -> None:
    one: Any = 1
    other: Any = 2
    for _ in range(5_000):
        one, other = [one], [other]
    found = first_difference(one, other)
    assert found is not None
    assert (found.expected, found.actual) == (1, 2)


# Kept with the spell

FULL = with_tests(
    CHAIN,
    adds={
        "name": "It says so",
        "inputs": {"a.value": None},
        "record": {"send": {"outputs": {"value": None}}},
        "expect": {"up": {"outputs": {"text": equals(None)}}, "a": {"status": "skipped"}},
        "timeout": 2,
        "live": True,
    },
)


@pytest.mark.rule("22.1", "22.9")
def test_tests_are_in_no_plan_and_in_every_form() -> None:
    assert compile(FULL, library).to_bytes() == compile(CHAIN, library).to_bytes()
    assert "tests" not in CHAIN.to_json()
    for form in forms.FORMS:
        data = forms.write(FULL, form, library)
        read = forms.read_form(data, form, library)
        spell = read if isinstance(read, Spell) else Spell.model_validate(read)
        assert spell.to_json() == FULL.to_json(), form


@pytest.mark.rule("22.9")
def test_in_a_folder_each_test_has_a_file() -> None:
    files = to_files(FULL)
    assert b"It says so" in files["tests/adds.yaml"]
    assert b"It says so" not in files["spell.yaml"]
    assert Spell.model_validate(from_files(files.__getitem__)).to_json() == FULL.to_json()


@pytest.mark.rule("22.9")
def test_a_workflow_adds_tests_and_a_difference_has_them() -> None:
    wf = Workflow("T")
    wf.value(1, id="one")
    before = wf.to_spell()
    wf.test("is one", expect={"one": {"outputs": {"value": equals(1)}}})
    after = wf.to_spell()
    [change] = difference(before, after).changes
    assert (change.kind, change.id, change.what, change.name) == (
        "tests",
        "test",
        "added",
        "is one",
    )
    other = with_tests(after, test={"expect": {"one": {"outputs": {"value": equals(2)}}}})
    fields = [field.field for change in difference(after, other).changes for field in change.fields]
    assert fields == ["expect.one", "name"]
    assert Workflow.from_source(wf.to_source()).to_spell().to_json() == after.to_json()


@pytest.mark.rule("22.10")
def test_tests_follow_ports_that_a_migration_renames() -> None:
    spell = with_tests(
        draw({"n": {"type": "w.renamed", "version": 1, "name": "Number"}}),
        t={
            "inputs": {"n.old_in": 1, "Number.old_in": 2, "m.old_in": 3},
            "record": {"n": {"outputs": {"old": 1}}},
            "expect": {"n": {"outputs": {"old": equals(1)}}},
        },
    )
    test = library.upgrade(spell)[0].tests["t"]
    assert list(test.inputs) == ["n.new_in", "Number.new_in", "m.old_in"]
    assert list(test.record["n"].outputs or ()) == ["fresh"]
    assert list(test.expect["n"].outputs) == ["fresh"]


@pytest.mark.rule("22.1")
@pytest.mark.parametrize(
    "test",
    [
        {"record": {"a": {}}},
        {"record": {"a": {"outputs": {}, "failure": {}}}},
        {"expect": {"a": {"status": "failed", "outputs": {"x": equals(1)}}}},
        {"expect": {"a": {"code": "x"}}},
        {"expect": {"a": {"outputs": {"x": {"op": "eval", "value": "1"}}}}},
        {"timeout": 0},
        {"nam": "x"},
    ],
)
def test_a_test_that_makes_no_sense_is_refused(test: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Spell.model_validate({"tests": {"t": test}})


# Made of a run


@pytest.mark.rule("22.12")
async def test_a_test_made_of_a_run_passes_without_calling_what_it_recorded() -> None:
    spell = draw(
        {
            "a": value("x"),
            "d": {"type": "w.dice"},
            "send": {"type": "w.send"},
            "up": {"type": "t.upper"},
        },
        "a.value -> send.text",
        "send.value -> up.text",
    )
    analysis = Analysis(spell, library)
    record = recordable(analysis)
    assert record == ["d", "send"]
    assert last_nodes(analysis) == ["d", "up"]
    assert last_nodes(analysis, record) == ["a", "up"]
    result = await execute(compile(spell, library), Limits())
    nodes = {id: Chosen(outputs) for id, outputs in result.outputs.items()}
    sent.clear()
    made = make_test("as it was", nodes, record, last_nodes(analysis), {})
    assert made.left_out == {}
    done = await outcome(spell, **made.test.to_json())
    assert done.outcome == "passed", done
    assert sent == []


@pytest.mark.rule("22.12")
def test_a_test_takes_small_values_along_and_says_what_it_left_out() -> None:
    nodes = {
        "a": Chosen({"big": "x" * 70_000, "small": 1}),
        "b": Chosen(failure=("no", "it failed")),
        "c": Chosen(skipped=True),
        "d": Chosen(missing={"rows": "too_large"}),
    } | {f"m{n:02}": Chosen({"value": "y" * 60_000}) for n in range(10)}
    made = make_test("t", nodes, nodes.keys() - {"b", "c"}, ["b", "c", "gone"], {})
    assert made.left_out["a"] == {"big": "too_large"}
    assert made.left_out["d"] == {"rows": "too_large"}
    assert made.left_out["m09"] == {"value": "too_large_altogether"}
    assert made.left_out["gone"] == {"": "no_value"}
    assert made.test.expect["b"].code == "no"
    assert made.test.expect["c"].status == "skipped"


@pytest.mark.rule("22.13")
async def test_tests_run_in_a_script() -> None:
    spell = {
        "nodes": {
            "a": {"type": "core.value", "inputs": {"value": 20}},
            "b": {"type": "code.python", "code": "x * 2"},
        },
        "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
        "tests": {"t": {"expect": {"b": {"outputs": {"result": equals(40)}}}}},
    }
    [done] = await run_spell_tests(spell)
    assert done.outcome == "passed", done
