"""A node on a queue is called by who listens to it, with plain JSON both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from spellwork import Context, Execution, Library, Pack, Plan, RunResult, Step, compile, node
from spellwork.spell import NodeSettings
from spellwork_core import pack as core
from tests.spells.nested import draw, in_group

pytestmark = pytest.mark.anyio


@node("q.when", output="at")
async def when() -> Any:
    """Give what is no JSON."""
    return datetime(2026, 1, 2, tzinfo=UTC)


@node("q.chunks", output="text")
async def chunks() -> AsyncIterator[str]:
    """Stream a text."""
    yield "a"
    yield "b"


@node("q.work", output="value")
async def work(given: Any = None) -> Any:
    """Be called elsewhere."""
    raise AssertionError("it is not called here")


@node("q.read", output="value")
async def read(chunks: AsyncIterator[str]) -> Any:
    """Be called elsewhere, with a stream."""
    raise AssertionError("it is not called here")


library = Library([Pack(name="q", version="1", title="Q", nodes=(when, chunks, work, read)), core])
ON_GPU = {"settings": {"queue": "gpu"}}


class Elsewhere:
    """Who listens to all queues."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Give what came, on the first output, and a tuple."""
        assert step.node.settings.queue == "gpu"
        assert context.node_id == step.id
        self.given.append(inputs)
        return {"value": (inputs, datetime(2026, 1, 2, tzinfo=UTC))}


async def run(plan: Plan, elsewhere: Elsewhere | None = None) -> RunResult:
    executors = {} if elsewhere is None else {"queue": elsewhere}
    return await Execution(plan, executors=executors).run()


@pytest.mark.rule("21.8")
async def test_a_node_on_a_queue_is_called_there_with_plain_json() -> None:
    elsewhere = Elsewhere()
    plan = compile(draw({"a": "q.when", "b": ("q.work", {}, ON_GPU)}, "a.at -> b.given"), library)
    result = await run(plan, elsewhere)
    at = "2026-01-02T00:00:00+00:00"
    assert elsewhere.given == [{"given": at}]
    assert result.outputs["b"] == {"value": [{"given": at}, at]}


@pytest.mark.rule("21.8")
async def test_a_stream_reaches_a_queue_whole() -> None:
    elsewhere = Elsewhere()
    nodes: dict[str, Any] = {"a": "q.chunks", "b": ("q.read", {}, ON_GPU)}
    result = await run(compile(draw(nodes, "a.text -> b.chunks"), library), elsewhere)
    assert not result.errors
    assert elsewhere.given == [{"chunks": "ab"}]


@pytest.mark.rule("21.8")
async def test_without_a_queue_such_a_node_fails() -> None:
    result = await run(compile(draw({"b": ("q.work", {}, ON_GPU)}), library))
    assert result.errors["b"].code == "no_queue"


@pytest.mark.rule("21.8")
async def test_what_runs_a_body_cannot_be_placed() -> None:
    nodes: dict[str, Any] = {
        "s": ("core.spell", {}, {"settings": {"body": {"group": "g"}, "queue": "gpu"}}),
        "x": ("q.work", {}, in_group("g")),
    }
    result = await run(compile(draw(nodes), library), Elsewhere())
    assert result.errors["s"].code == "not_placeable"


@pytest.mark.rule("21.8")
def test_the_queue_is_no_part_of_a_recipe() -> None:
    here = compile(draw({"b": "q.work"}), library)
    there = compile(draw({"b": ("q.work", {}, ON_GPU)}), library)
    assert here.recipes == there.recipes


@pytest.mark.rule("21.8")
@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "ü", "a/b"])
def test_a_queue_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValidationError):
        NodeSettings.model_validate({"queue": name})
