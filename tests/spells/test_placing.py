"""A node on a queue is called by who listens to it, with plain JSON both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pytest
from pydantic import ValidationError

from spellwork import (
    Context,
    Execution,
    Library,
    Pack,
    Plan,
    Question,
    RunResult,
    Step,
    compile,
    node,
)
from spellwork.spell import NodeSettings
from spellwork_core import pack as core
from tests.spells.nested import draw, in_group, runs

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


class Away:
    """Calls that wait elsewhere, and what was told of the run meanwhile."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.ends = asyncio.Event()

    async def wait(self, context: Context) -> None:
        with context.elsewhere(self.told.append):
            await self.ends.wait()

    async def is_told(self, *told: bool) -> None:
        """Wait until these are the last words, each said once or more."""
        async with asyncio.timeout(30):
            while tuple(said for said, _ in groupby(self.told))[-len(told) :] != told:
                await asyncio.sleep(0.001)


AWAY: dict[str, Away] = {}


@node("q.away", output="text", cache="none")
async def away(ctx: Context, at: str) -> AsyncIterator[str]:
    """Stream a piece, wait elsewhere, and stream another one."""
    yield "a"
    await AWAY[at].wait(ctx)
    yield "b"


@node("q.busy", output="value", cache="none")
async def busy(at: str) -> str:
    """Work for a while."""
    await AWAY[at].ends.wait()
    return at


@node("q.join", output="text", cache="none")
async def join(chunks: AsyncIterator[str]) -> str:
    """Read a stream."""
    return "".join([chunk async for chunk in chunks])


@node("q.ask", output="value", cache="none")
async def ask(ctx: Context) -> Any:
    """Ask somebody."""
    return await ctx.ask(Question(kind="approval", title="Well?"))


library = Library(
    [
        Pack(
            name="q",
            version="1",
            title="Q",
            nodes=(when, chunks, work, read, away, busy, join, ask),
        ),
        core,
    ]
)
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


@pytest.fixture
def waits(request: pytest.FixtureRequest) -> tuple[str, Away]:
    """Return calls that wait, and the name by which nodes find them."""
    name = request.node.nodeid
    AWAY[name] = Away()
    return name, AWAY[name]


@pytest.mark.rule("21.9")
async def test_it_is_told_when_a_run_does_nothing_but_wait_for_calls_made_elsewhere(
    waits: tuple[str, Away],
) -> None:
    at, elsewhere = waits
    busy_at = f"{at} busy"
    AWAY[busy_at] = Away()
    nodes = {
        "a": ("q.away", {"at": at}),
        "b": ("q.busy", {"at": busy_at}),
        "m": ("core.map", {"items": [at]}, runs(group="g")),
        "x": ("q.away", {}, in_group("g")),
        "r": "q.join",
        "p": "q.ask",
    }
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def asker(_path: str, _question: Question) -> asyncio.Future[Any]:
        return answer

    plan = compile(draw(nodes, "a.text -> r.chunks"), library)
    async with asyncio.TaskGroup() as tasks:
        going = tasks.create_task(Execution(plan, asker=asker).run())
        await elsewhere.is_told(False)  # b works
        AWAY[busy_at].ends.set()
        await elsewhere.is_told(False, True)
        answer.set_result({"approved": True})
        await elsewhere.is_told(True, False, True)
        elsewhere.ends.set()
    result = going.result()
    assert not result.errors
    assert result.outputs["r"] == {"text": "ab"}
