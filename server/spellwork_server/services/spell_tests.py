"""Tests of canvases' spells: run them, and make one of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar
from uuid import uuid4

import msgspec
from pydantic import Field, JsonValue, StringConstraints, model_validator

from spellwork.analysis import Analysis
from spellwork.library import Libraries
from spellwork.spell import Id, Spell
from spellwork.spell_test import MAX_NODES, MAX_TESTS, Expectation
from spellwork.spell_tests import (
    Chosen,
    Made,
    TestResult,
    last_nodes,
    make_test,
    recordable,
)
from spellwork_server.child_spells import ChildSpells
from spellwork_server.errors import BadRequest
from spellwork_server.identity import Actor, require
from spellwork_server.rooms import Rooms
from spellwork_server.runs.references import is_reference, is_stand_in
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.streams import Access
from spellwork_server.runs.test_bench import TestBench
from spellwork_server.runs.views import RunView
from spellwork_server.storage.run_records import RunRecord

from .service import Call, Request, Service, View, operation

MOST_VALUE = 64 * 1024
"""Bytes of JSON of a value that is looked at to be taken into a test."""

CanvasId = Annotated[str, Field(min_length=1, max_length=64)]
TestName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class RunTests(Request):
    """Which tests to run."""

    canvas: CanvasId
    tests: list[Id] | None = Field(
        default=None, max_length=MAX_TESTS, description="By id; all when left out."
    )


class TestedSpell(View):
    """How tests came out, by id. ``seq`` is the number of the last edit in the spell that was run."""

    __test__: ClassVar[bool] = False

    canvas: str
    seq: int
    passed: int
    failed: int = Field(description="Those in error included.")
    tests: list[TestResult]


class TestOfRun(Request):
    """What a test is made of."""

    __test__: ClassVar[bool] = False

    id: str = Field(min_length=1, max_length=64, description="The run.")
    name: TestName
    test: Id | None = Field(
        default=None, description="Put the test in the place of this one; a new one when left out."
    )
    record: list[Id] | None = Field(
        default=None,
        max_length=MAX_NODES,
        description="Nodes that are not called again; when left out, those that have side effects,"
        " may cost money, or need not give the same again.",
    )
    expect: dict[Id, Expectation] | list[Id] | None = Field(
        default=None,
        description="Nodes that must give what they gave, or what must hold of them;"
        " when left out, the nodes that nothing needs.",
    )

    @model_validator(mode="after")
    def _few(self) -> TestOfRun:
        if self.expect is not None and len(self.expect) > MAX_NODES:
            raise ValueError(f"at most {MAX_NODES} nodes may be expected")
        return self


class TestMade(View):
    """The test as it is on the canvas now, and what of the run it does not have."""

    __test__: ClassVar[bool] = False

    canvas: str
    id: str
    test: dict[str, JsonValue]
    left_out: dict[str, dict[str, str]] = Field(
        description="By node and output (none for all of it), why: too_large, too_large_altogether,"
        " too_deep, not_exact or no_value."
    )


class SpellTestService(Service):
    """Tests of canvases: who may run a canvas may run its tests, who may edit it may make some."""

    name: ClassVar[str] = "spell_tests"

    def __init__(
        self,
        bench: TestBench,
        libraries: Libraries,
        children: ChildSpells,
        reader: RunReader,
        rooms: Rooms,
        access: Access,
    ) -> None:
        self._bench = bench
        self._libraries = libraries
        self._children = children
        self._reader = reader
        self._rooms = rooms
        self._access = access

    @operation(
        summary="Run the tests of a canvas",
        rest=("POST", "/v1/canvases/{canvas}/tests/run"),
        errors=("invalid_input", "too_many_tests"),
        cost=5,
    )
    async def run(self, call: Call, request: RunTests) -> TestedSpell:
        """Answer how they came out, once all have ended. Nothing of it is kept.

        A node that is not recorded and has side effects or costs money is not
        called, unless its test says so.
        """
        actor = require(call.actor, "canvas.run", await self._access(request.canvas))
        async with self._rooms.visit(request.canvas) as room:
            await room.settled()  # who edits and tests at once tests what was edited
            spell, seq = room.spell(), room.seq
        if call.session is not None:
            call.session.release_turn()
        results = await self._bench.run(actor, request.canvas, spell, request.tests)
        require(call.actor, "canvas.run", await self._access(request.canvas))
        passed = sum(each.outcome == "passed" for each in results)
        return TestedSpell(
            canvas=request.canvas,
            seq=seq,
            passed=passed,
            failed=len(results) - passed,
            tests=results,
        )

    @operation(
        name="runs.to_test",
        summary="Make a test of a run",
        rest=("POST", "/v1/runs/{id}/test"),
        status=201,
        errors=("run_not_found", "no_canvas", "schema_violation", "store_unavailable"),
        cost=5,
    )
    async def to_test(self, call: Call, request: TestOfRun) -> TestMade:
        """Write a test into the spell of the run's canvas, as an edit that everybody there sees.

        What the run left of the nodes in ``record`` stands for their calls;
        only small values are taken along.
        """
        record = await self._reader.record(call.actor, request.id)
        if record.canvas_id is None:
            raise BadRequest(
                f"Run {record.id} is of no canvas, which could keep a test", code="no_canvas"
            )
        actor = require(call.actor, "canvas.edit", await self._access(record.canvas_id))
        made = await self._make(actor, record, request)
        id = request.test or f"test-{uuid4().hex[:10]}"

        def add(spell: Spell) -> Spell:
            return spell.model_copy(update={"tests": spell.tests | {id: made.test}})

        async with self._rooms.visit(record.canvas_id) as room:
            await room.change_spell(actor, add)
        return TestMade(
            canvas=record.canvas_id, id=id, test=made.test.to_json(), left_out=made.left_out
        )

    async def _make(self, actor: Actor, record: RunRecord, request: TestOfRun) -> Made:
        view = await self._reader.view(actor, record)
        there = view.outputs.keys() | view.errors.keys() | view.skipped.keys()
        wanted, expect, given = await self._choose(actor, record, request, there)
        nodes = {
            id: await self._chosen(view, id) for id in sorted({*wanted, *expect}) if id in there
        }
        inputs = (record.request or {}).get("inputs") or {}
        made = make_test(request.name, nodes, wanted, expect, inputs)
        expected = made.test.expect | dict(given)
        return Made(made.test.model_copy(update={"expect": expected}), made.left_out)

    async def _choose(
        self, actor: Actor, record: RunRecord, request: TestOfRun, there: Collection[str]
    ) -> tuple[list[str], list[str], Mapping[str, Expectation]]:
        """Return the nodes to record, those of which is expected what they gave, and what is expected besides."""
        given = request.expect if isinstance(request.expect, dict) else {}
        named = request.expect if isinstance(request.expect, list) else None
        recorded = request.record
        if recorded is None or request.expect is None:
            analysis = await self._analysis(actor, record)
            if recorded is None:
                recorded = [id for id in recordable(analysis) if id in there and id not in given]
            if request.expect is None:
                named = [id for id in last_nodes(analysis, recorded) if id in there]
        return recorded, named or [], given

    async def _analysis(self, actor: Actor, record: RunRecord) -> Analysis:
        spell = Spell.model_validate(record.spell)
        found = await self._children.for_actor(spell, actor.user_id, actor)
        library = self._libraries.of(record.canvas_id)
        return Analysis(spell, library, found.spells.get, root=record.canvas_id)

    async def _chosen(self, view: RunView, node: str) -> Chosen:
        if node in view.errors:
            failure = view.errors[node]
            return Chosen(failure=(str(failure.get("code")), str(failure.get("message", ""))))
        if node not in view.outputs:
            return Chosen(skipped=True)
        outputs: dict[str, Any] = {}
        missing: dict[str, str] = {}
        for port, value in view.outputs[node].items():
            key = view.hashes[node][port]
            if is_reference(value) and value["$ref"] == key:
                if value["size"] > MOST_VALUE:
                    missing[port] = "too_large"
                    continue
                body = await self._reader.value(key)
            else:
                body = msgspec.json.encode(value)
            if is_stand_in(key, body):
                missing[port] = "no_value"
            else:
                outputs[port] = msgspec.json.decode(body)
        return Chosen(outputs, missing=missing)
