"""Runs that end in the middle and go on: a journal that loses what was not flushed, people who answer, nodes that note their calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from spellwork import (
    SKIP,
    Context,
    Ended,
    Event,
    Execution,
    Library,
    NodeError,
    NodeFailure,
    Pack,
    Plan,
    Question,
    RunResult,
    Spell,
    compile,
    node,
)
from spellwork.past import Past
from spellwork.values import to_json
from spellwork_core import pack as core

from .reference import number_in


class World:
    """What outlives the processes of one run: its journal, the answers of people, and what nodes did."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        """What the journal has, of all attempts."""
        self.durable = 0
        """How many of these a crash cannot take."""
        self.calls: list[str] = []
        """The paths of nodes in the order of their calls."""
        self.answers: dict[str, Any] = {}
        self.asked: dict[str, Question] = {}
        self.failing: set[str] = set()
        """The paths of nodes that fail for now."""
        self.dead = False
        """Whether the process that has the run was killed: what it still does did not happen."""
        self.wrong: list[str] = []
        """What nodes found that must not be."""

    def ended(self) -> dict[str, Event]:
        """Return, by path, the event with which a node ended."""
        kinds = ("node.done", "node.failed", "node.skipped")
        return {event.node: event for event in self.told if event.kind in kinds and event.node}

    def past(self) -> dict[str, Ended]:
        """Return what the journal knows of nodes that ended."""
        return past_of(self.told)

    async def flush(self) -> None:
        """Be the barrier."""
        await asyncio.sleep(0)
        self.durable = len(self.told)

    def note_call(self, path: str, *, committed: bool = False) -> None:
        """Note a call, which nobody may have made before to its end; see what is durable by then."""
        if self.dead:
            return
        self.calls.append(path)
        if path in self.ended():
            self.wrong.append(f"{path} had ended, and is called again")
        if committed and ("node.started", path) not in self._durable():
            self.wrong.append(f"{path} is called before it is durable that it may be")

    def _durable(self) -> set[tuple[str, str | None]]:
        return {(event.kind, event.node) for event in self.told[: self.durable]}

    def lose(self, kept: int) -> None:
        """Crash: of what was not flushed only so many events are there."""
        del self.told[self.durable + kept :]
        self.durable = len(self.told)


world = World()


def past_of(events: list[Event]) -> dict[str, Ended]:
    """Return what of a run had ended, by its events, with values as a store gives them back."""
    past: dict[str, Ended] = {}
    for event in events:
        if event.node is None:
            continue
        if event.kind == "node.done":
            outputs = json.loads(msgspec.json.encode(to_json(event.outputs)))
            past[event.node] = Ended(outputs, why=event.why, duration=event.duration)
        elif event.kind == "node.failed":
            failure = msgspec.convert(event.error, NodeFailure)
            past[event.node] = Ended(failure=failure, duration=event.duration)
        elif event.kind == "node.skipped":
            past[event.node] = Ended(skipped=event.message, why=event.why)
    return past


async def _mixed(ctx: Context, given: list[Any], own: int, *, committed: bool = False) -> Any:
    world.note_call(ctx.path, committed=committed)
    for _ in range(own % 3):
        await asyncio.sleep(0)
    if ctx.path in world.failing:
        raise NodeError("not now", code="not_now")
    total = (number_in(given) + own) % 11
    if total == 3:
        raise NodeError("three", code="three")
    return SKIP if total == 5 else total


@node("d.mix", output="value", many=("values",))
async def mix(ctx: Context, values: list[Any] | None = None, own: int = 0) -> Any:
    """Mix numbers; fail or give nothing now and then."""
    return await _mixed(ctx, values or [], own)


@node("d.pay", output="value", many=("values",), cache="none", side_effects=True)
async def pay(ctx: Context, values: list[Any] | None = None, own: int = 0) -> Any:
    """Do the same, at a price."""
    return await _mixed(ctx, values or [], own, committed=True)


@node("d.ask", output="value", many=("values",), cache="none")
async def ask(ctx: Context, values: list[Any] | None = None, own: int = 0) -> Any:
    """Ask people twice, and mix what they say."""
    first = await ctx.ask(Question(kind="form", title="How many?", schema={"type": "integer"}))
    second = await ctx.ask(Question(kind="choice", title="More?", choices=("0", "1")))
    return await _mixed(ctx, [*(values or []), first, int(second)], own, committed=True)


@node("d.stream", output="value", many=("values",), cache="none")
async def stream(ctx: Context, values: list[Any] | None = None, own: int = 0) -> AsyncIterator[int]:
    """Stream some numbers."""
    world.note_call(ctx.path)
    for number in range(own % 5):
        await asyncio.sleep(0)
        yield number + number_in(values or [])


@node("d.read", output="value", many=("values",))
async def read(
    ctx: Context, chunks: AsyncIterator[Any], values: list[Any] | None = None, own: int = 0
) -> Any:
    """Read a stream to its end."""
    world.note_call(ctx.path)
    came = [chunk async for chunk in chunks]
    return number_in([came, values or [], own])


library = Library(
    [Pack(name="d", version="1", title="Durable", nodes=(mix, pay, ask, stream, read)), core]
)


def plan_of(parts: Mapping[str, Any]) -> Plan:
    """Return the plan of a spell's JSON."""
    return compile(Spell.model_validate(parts), library)


class Process:
    """One process that carries the run on, until it ends, rests, or is killed."""

    def __init__(self, plan: Plan, past: Past, *, resumed: bool, **options: Any) -> None:
        self.execution = Execution(
            plan,
            sink=self.take,
            past=past,
            resumed=resumed,
            barrier=world.flush,
            asker=self.ask,
            run_id="run",
            **options,
        )
        self.kill_at: int | None = None
        """After how many events it is killed."""
        self.killed = world.dead = False

    def take(self, event: Event) -> None:
        """Be the sink."""
        if self.killed:
            return
        world.told.append(event)
        if self.kill_at is not None:
            self.kill_at -= 1
            if self.kill_at <= 0:
                self.killed = world.dead = True
                self.execution.cancel()

    async def ask(self, path: str, question: Question) -> asyncio.Future[Any]:
        """Be the asker: the answer is there, or nobody gives it while this process lives."""
        await asyncio.sleep(0)
        known = world.asked.setdefault(path, question)
        assert known == question
        future = asyncio.get_running_loop().create_future()
        if path in world.answers:
            future.set_result(world.answers[path])
        return future

    async def run(self) -> RunResult | None:
        """Carry the run on; None where the process was killed."""
        self.execution.on_rest = self.execution.suspend
        before = asyncio.all_tasks()
        async with asyncio.timeout(30):
            result = await self.execution.run()
        assert asyncio.all_tasks() == before, "a task is left behind"
        return None if self.killed else result


def to_the_end(
    plan: Plan, choose: Callable[[str, int], int], *, kills: int = 0, **options: Any
) -> RunResult:
    """Run a plan in as many processes as it takes. ``choose(what, most)`` gives numbers from 0 to most."""
    began = False
    while True:
        process = Process(plan, world.past(), resumed=began, **options)
        if kills:
            kills -= 1
            process.kill_at = choose("kill", 40)
            process.kill_at = process.kill_at + 1
        result = asyncio.run(process.run())
        began = True
        if result is None:
            world.lose(choose("kept", max(0, len(world.told) - world.durable)))
            continue
        if result.status != "waiting":
            return result
        world.lose(len(world.told))  # a clean end
        waiting = sorted(world.asked.keys() - world.answers.keys())
        assert waiting, "it rests, and nobody was asked"
        for path in waiting[: 1 + choose("answers", len(waiting) - 1)]:
            question = world.asked[path]
            world.answers[path] = "1" if question.kind == "choice" else len(path) % 7


def left_by(result: RunResult) -> Any:
    """Return what is to be the same, however a run came to its end."""
    errors = {id: (error.code, error.message, error.details) for id, error in result.errors.items()}
    return json.loads(msgspec.json.encode(to_json([result.outputs, errors, result.skipped])))
