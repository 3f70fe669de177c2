"""Nodes ask people: the run waits without a place or a time that runs, comes to rest, and is suspended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from spellwork import (
    Context,
    DetachedHost,
    Ended,
    Event,
    Execution,
    Library,
    Limiters,
    LimitRules,
    Limits,
    LiveSession,
    Node,
    NodeError,
    Pack,
    Question,
    RunResult,
    Spell,
    compile,
    node,
)
from spellwork_core import pack as core
from tests.spells.durable import past_of
from tests.spells.nested import draw, in_group, runs
from tests.spells.nodes import pack as small

pytestmark = pytest.mark.anyio

SURE = Question(kind="approval", title="Sure?")


class Scene:
    """What the nodes of a test find; made anew for each."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.gate = asyncio.Event()


scene: Scene


@node("k.ask", output="value", many=("after",))
async def ask(ctx: Context, after: list[Any] | None = None) -> Any:
    """Ask once."""
    return await ctx.ask(SURE)


@node("k.stubborn", output="value")
async def stubborn(ctx: Context) -> Any:
    """Ask, and give something whatever happens."""
    try:
        return await ctx.ask(SURE)
    except asyncio.CancelledError:
        return "swallowed"


@node("k.several", output="values")
async def several(ctx: Context) -> Any:
    """Ask several things, some by another node."""
    first = await ctx.ask(SURE)
    inner = await ctx.call("k.ask", {})
    both = await asyncio.gather(ctx.ask(SURE), ctx.ask(SURE))
    return [first, inner["value"], *both]


@node("k.gated", output="value")
async def gated() -> str:
    """Wait for the gate."""
    await scene.gate.wait()
    return "through"


@node("k.half", output="value", cache="none")
async def half(ctx: Context) -> AsyncIterator[Any]:
    """Stream something, ask, and stream the rest."""
    yield 1
    yield 2 if await ctx.ask(SURE) else 3


@node("k.threaded", output="value")
def threaded(ctx: Context) -> Any:
    """Ask, in a thread."""
    return asyncio.run(ctx.ask(SURE))


library = Library(
    [
        Pack(
            name="k",
            version="1",
            title="K",
            nodes=(ask, stubborn, several, gated, half, threaded),
        ),
        small,
        core,
    ]
)


@pytest.fixture(autouse=True)
def anew() -> None:
    global scene  # noqa: PLW0603 - the nodes find it there
    scene = Scene()


class Run:
    """A run in which nobody answers unless told to."""

    def __init__(self, spell: Spell, **options: Any) -> None:
        self.open: dict[str, asyncio.Future[Any]] = {}
        self.known: dict[str, Any] = options.pop("known", {})
        self.events: list[Event] = []
        self.rests = 0
        self.rested = asyncio.Event()
        self.execution = Execution(
            compile(spell, library), sink=self.events.append, asker=self.ask, **options
        )
        self.execution.on_rest = self.rest

    def rest(self) -> None:
        """Count."""
        self.rests += 1
        self.rested.set()

    async def ask(self, path: str, _question: Question) -> asyncio.Future[Any]:
        """Be the asker."""
        await asyncio.sleep(0)
        future = self.open[path] = asyncio.get_running_loop().create_future()
        if path in self.known:
            future.set_result(self.known[path])
        return future

    async def meanwhile(self, work: Callable[[], Awaitable[None]]) -> RunResult:
        """Run, do something meanwhile, and return what the run left; no task may be left."""
        before = asyncio.all_tasks()
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.execution.run())
            await work()
        assert asyncio.all_tasks() <= before
        return running.result()

    async def resting(self) -> None:
        """Wait until it is at rest anew."""
        await self.rested.wait()
        self.rested.clear()

    def waiting(self) -> list[str | None]:
        """Return who said that it waits."""
        return [event.node for event in self.events if event.kind == "node.waiting"]


@pytest.mark.rule("21.6")
async def test_a_node_waits_for_an_answer_and_says_so() -> None:
    run = Run(draw({"a": "k.ask"}))

    async def answer() -> None:
        await run.resting()
        run.open["a"].set_result(True)

    result = await run.meanwhile(answer)
    assert result.outputs == {"a": {"value": True}}
    [waiting] = [event for event in run.events if event.kind == "node.waiting"]
    assert waiting.message == "Sure?"
    assert waiting.data == {"for": "person", "kind": "approval", "question": "a"}


@pytest.mark.rule("21.6")
async def test_an_answer_that_is_there_is_not_waited_for() -> None:
    run = Run(draw({"a": "k.ask"}), known={"a": "yes"})
    result = await run.execution.run()
    assert result.outputs == {"a": {"value": "yes"}}
    assert (run.waiting(), run.rests) == ([], 0)


@pytest.mark.rule("21.6")
async def test_further_questions_of_a_call_have_their_own_places() -> None:
    known = {"a": 1, "a?2": 2, "a?3": 3, "a?4": 4}
    result = await Run(draw({"a": "k.several"}), known=known).execution.run()
    assert result.outputs == {"a": {"values": [1, 2, 3, 4]}}


@pytest.mark.rule("21.6")
async def test_who_waits_for_people_takes_no_place_and_no_time() -> None:
    nodes = {
        "a": ("k.ask", {}, {"settings": {"timeout": 0.02}}),
        "b": ("t.wait", {"seconds": 0.1}),
        "c": ("t.count", {}),
    }
    run = Run(draw(nodes), limits=Limits(concurrency=1))

    async def answer() -> None:
        await run.resting()
        run.open["a"].set_result(True)

    result = await run.meanwhile(answer)
    assert result.ok
    assert result.outputs.keys() == {"a", "b", "c"}


@pytest.mark.rule("21.6")
async def test_who_waits_for_people_takes_no_place_of_a_limit() -> None:
    rules = LimitRules.model_validate({"types": {"k.ask": {"concurrency": 1}}})
    run = Run(draw({"a": "k.ask", "b": "k.ask"}), limiters=Limiters(rules))

    async def answer() -> None:
        while len(run.open) < 2:
            await run.resting()
        for future in run.open.values():
            future.set_result(True)

    assert (await run.meanwhile(answer)).ok


@pytest.mark.rule("21.6")
@pytest.mark.parametrize("type", ["k.ask", "k.several"])
async def test_where_nobody_can_be_asked_it_says_so(type: str) -> None:
    plan = compile(draw({"a": type}), library)
    assert (await Execution(plan).run()).errors["a"].code == "no_asker"
    async with LiveSession(plan) as session:
        failure = (await session.settled()).errors["a"]
    assert failure.code == "no_asker"
    assert "live mode" in failure.message


@pytest.mark.rule("21.6")
async def test_a_thread_cannot_ask() -> None:
    result = await Run(draw({"a": "k.threaded"})).execution.run()
    assert result.errors["a"].code == "no_asker"
    assert "coroutine" in result.errors["a"].message


@pytest.mark.rule("21.6")
async def test_what_is_withdrawn_or_refused_fails_the_node() -> None:
    run = Run(draw({"a": "k.ask", "b": "k.ask"}))

    async def refuse() -> None:
        await run.resting()
        run.open["a"].cancel()
        run.open["b"].set_exception(NodeError("too late", code="not_answered"))

    result = await run.meanwhile(refuse)
    assert {id: error.code for id, error in result.errors.items()} == {
        "a": "not_answered",
        "b": "not_answered",
    }


@pytest.mark.rule("21.6")
async def test_a_cancel_ends_who_waits_for_people() -> None:
    run = Run(draw({"a": "k.ask"}))

    async def cancel() -> None:
        await run.resting()
        run.execution.cancel()

    result = await run.meanwhile(cancel)
    assert result.status == "cancelled"
    assert run.open["a"].cancelled()
    assert run.events[-1].kind == "run.cancelled"


@pytest.mark.rule("21.7")
async def test_a_run_rests_only_when_nothing_else_goes_on() -> None:
    run = Run(draw({"a": "k.ask", "b": "k.gated", "c": "k.ask"}, "b.value -> c.after"))

    async def look() -> None:
        while "a" not in run.open:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (run.rests, run.execution.suspend()) == (0, False)
        scene.gate.set()
        await run.resting()
        assert run.open.keys() == {"a", "c"}
        run.open["a"].set_result(1)
        assert not run.execution.suspend(), "an answer is there"
        await run.resting()
        assert run.execution.suspend()

    result = await run.meanwhile(look)
    assert result.status == "waiting"
    assert result.outputs == {"a": {"value": 1}, "b": {"value": "through"}}
    assert run.open["c"].cancelled()
    assert run.events[-1].kind == "node.done"
    assert not run.execution.suspend()


@pytest.mark.rule("21.7")
async def test_a_paused_run_is_not_suspended() -> None:
    run = Run(draw({"a": "k.ask"}))

    async def look() -> None:
        await run.resting()
        run.execution.pause()
        assert not run.execution.suspend()
        run.execution.play()
        assert run.execution.suspend()

    assert (await run.meanwhile(look)).status == "waiting"


@pytest.mark.rule("21.7")
async def test_what_a_node_does_when_it_is_suspended_is_nothing() -> None:
    run = Run(draw({"a": "k.stubborn", "b": "t.count"}, "a.value -> b.values"))

    async def look() -> None:
        await run.resting()
        assert run.execution.suspend()

    result = await run.meanwhile(look)
    assert (result.status, result.outputs, result.errors) == ("waiting", {}, {})
    assert [event.kind for event in run.events] == ["run.started", "node.started", "node.waiting"]


@pytest.mark.rule("21.7", "21.1")
async def test_questions_inside_nodes_suspend_and_go_on() -> None:
    nodes = {
        "m": ("core.map", {"items": [0, 1, 2], "at_once": 2}, runs(group="g")),
        "i": ("core.input", {"name": "item"}, in_group("g")),
        "x": ("k.ask", {}, in_group("g")),
        "o": ("core.output", {"name": "y"}, in_group("g")),
    }
    spell = draw(nodes, "i.value -> x.after", "x.value -> o.value")
    events: list[Event] = []
    known: dict[str, Any] = {}
    for place in ("m[0]/x", "m[1]/x", "m[2]/x"):
        run = Run(spell, known=known, past=past_of(events), resumed=bool(events))

        async def look(run: Run = run) -> None:
            await run.resting()
            assert run.execution.suspend()

        assert (await run.meanwhile(look)).status == "waiting"
        events += run.events
        known[place] = place[2]
    run = Run(spell, known=known, past=past_of(events), resumed=True)
    result = await run.execution.run()
    assert result.outputs["m"] == {"items": ["0", "1", "2"]}
    started = [event.node for event in run.events if event.kind == "node.started"]
    assert started == ["m", "m[2]/x", "m[2]/o"]


@pytest.mark.rule("21.7", "21.1")
async def test_a_stream_half_way_is_made_again() -> None:
    spell = draw({"a": "k.half", "b": "t.count"}, "a.value -> b.values")
    run = Run(spell)

    async def look() -> None:
        await run.resting()
        assert run.execution.suspend()

    result = await run.meanwhile(look)
    assert result.outputs == {}
    again = Run(spell, known={"a": True}, past=past_of(run.events), resumed=True)
    assert (await again.execution.run()).outputs["a"] == {"value": [1, 2]}


@pytest.mark.rule("21.6")
@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 401},
        {"text": "x" * 100_001},
        {"kind": "form"},
        {"kind": "choice"},
        {"schema": {}},
        {"choices": ("a",)},
        {"kind": "choice", "choices": ("a", "a")},
        {"user": "u", "role": "editor"},
        {"due": 0},
        {"remind": -1.0},
    ],
)
def test_a_question_makes_sense_or_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"question|form|choice|due"):
        Question(**{"kind": "approval", "title": "Sure?", **wrong})


@pytest.mark.rule("21.6")
def test_a_question_is_plain_json_and_back() -> None:
    question = Question(
        kind="choice", title="Which?", choices=("a", "b"), due=60, on_timeout="default", default="a"
    )
    body = question.to_json()
    assert body == {
        "kind": "choice",
        "title": "Which?",
        "choices": ["a", "b"],
        "due": 60,
        "on_timeout": "default",
        "default": "a",
    }
    assert Question.from_json(body) == question
    with pytest.raises(ValueError, match="kind"):
        Question.from_json({"title": "x"})


@pytest.mark.rule("21.6")
async def test_a_detached_context_gives_the_answers_it_was_given() -> None:
    host = DetachedHost()
    host.answers = [True]
    context = Context("a", Node(type="k.ask"), host)
    assert await context.ask(SURE) is True
    assert host.questions == [SURE]
    with pytest.raises(NodeError, match="nobody can be asked"):
        await context.ask(SURE)


@pytest.mark.rule("21.1")
async def test_an_answered_question_of_a_node_that_ended_is_not_asked_again() -> None:
    run = Run(draw({"a": "k.ask"}), past={"a": Ended({"value": False})}, resumed=True)
    assert (await run.execution.run()).outputs == {"a": {"value": False}}
    assert not run.open
