"""Node types for the engine's tests: small, and each shows one thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field
from tqdm import tqdm
from typing_extensions import TypedDict

from spellwork import SKIP, CodeError, Context, Library, Node, NodeError, Pack, Port, Ports, node

calls: list[str] = []
"""Node ids in the order in which ``t.count`` was called; tests clear it."""


@node("t.value", output="value")
async def value(value: Any) -> Any:
    """Give the value."""
    return value


@node("t.number", output="value")
async def number(value: Annotated[int, Field(ge=0)] = 0) -> int:
    """Give a whole number."""
    return value


@node("t.add", output="sum", many=("values",))
async def add(values: list[int]) -> int:
    """Sum plus one."""
    return sum(values) + 1


@node("t.half", output="value")
async def half(value: float) -> float:
    """Half of a number."""
    return value / 2


@node("t.text", output="text")
async def text(value: Any = "") -> str:
    """Text of anything."""
    return str(value)


@node("t.upper", output="text")
async def upper(text: str) -> str:
    """Capitals."""
    return text.upper()


@node("t.count", output="value", many=("values",), cache="none")
async def count(
    ctx: Context, values: list[Any] | None = None, turns: int = 0, give: Any = None
) -> Any:
    """Note the call, wait some turns of the loop, give the values."""
    calls.append(ctx.node_id)
    for _ in range(turns):
        await asyncio.sleep(0)
    return give if give is not None else [*(values or []), ctx.node_id]


@node("t.cached", output="value", many=("values",))
async def cached(ctx: Context, values: list[Any] | None = None, factor: int = 1) -> int:
    """As t.count, but may be cached."""
    calls.append(ctx.node_id)
    total: int = 1 + sum(values or [])
    return factor * total


@node("t.wait", output="value")
async def wait(value: Any = None, seconds: float = 60) -> Any:
    """Wait."""
    await asyncio.sleep(seconds)
    return value


@node("t.fail", output="value")
async def fail(value: Any = None, message: str = "no") -> Any:
    """Fail."""
    raise ValueError(message)


@node("t.exit", output="value")
async def leave() -> Any:
    """Try to end the process."""
    raise SystemExit(3)


@node("t.flaky", output="attempts", retries=2, backoff=0)
async def flaky(ctx: Context, works_at: int = 3, retryable: bool = True) -> int:
    """Work at the given attempt."""
    if ctx.attempt < works_at:
        raise NodeError("not yet", code="not_yet", retryable=retryable)
    return ctx.attempt


class Branches(TypedDict, total=False):
    """Where a value goes."""

    yes: Any
    no: Any


@node("t.if")
async def branch(value: Any, condition: bool) -> Branches:
    """Give the value on one of two ports."""
    return {"yes": value} if condition else {"no": value}


@node("t.skip", output="value")
async def skip() -> Any:
    """Give nothing."""
    return SKIP


@node("t.merge", output="values", many=("values",), waits="any")
async def merge(values: list[Any]) -> list[Any]:
    """Give what came."""
    return values


@node("t.block", output="value")
def block(ctx: Context, seconds: float = 30) -> str:
    """Block a thread until cancelled."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ctx.check_cancelled()
        time.sleep(0.002)
    return "done"


@node("t.track", output="value")
def track(ctx: Context, items: int = 5) -> int:
    """Go through items with a bar."""
    return sum(ctx.track(range(items)))


@node("t.bars", output="value")
def bars(items: int = 5) -> int:
    """Go through items with a bar of tqdm."""
    return sum(tqdm(range(items), desc="items", mininterval=0))


@node("t.tokens", output="text")
async def tokens(parts: list[str]) -> AsyncIterator[str]:
    """Stream text."""
    for part in parts:
        await asyncio.sleep(0)
        yield part


@node("t.numbers", output="numbers")
def numbers(count: int = 3) -> Iterator[int]:
    """Stream numbers from a thread."""
    yield from range(count)


@node("t.map", output="values")
async def map_items(ctx: Context, type: str, items: list[Any]) -> list[Any]:
    """Call a node type for each item."""
    return [next(iter((await ctx.call(type, {"value": item})).values())) for item in items]


@node("t.fresh", output="value", cache="none")
async def fresh(value: Any) -> Any:
    """Give the value, anew each time."""
    return value


@node("t.recurse", output="value")
async def recurse(ctx: Context, value: Any = None) -> Any:
    """Call itself for ever."""
    return await ctx.call("t.recurse", {})


@node("t.secret", output="value", secrets=("KEY",))
async def secret(ctx: Context, name: str) -> str:
    """Give a secret away, for a test."""
    return await ctx.secret(name)


@node("t.tmp", output="path")
async def tmp(ctx: Context) -> str:
    """Write a file in the own directory."""
    (ctx.tmp / "file").write_text("x")
    return str(ctx.tmp)


@node("t.stubborn", output="value")
async def stubborn(turns: int = 3) -> None:
    """Swallow a few cancellations."""
    for _ in range(turns):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


@node("t.timed", output="value")
async def timed() -> str:
    """Use asyncio.timeout in the first step of the call."""
    try:
        async with asyncio.timeout(0.005):
            await asyncio.sleep(60)
    except TimeoutError:
        return "timed out"
    return "?"


@node("t.group", output="value")
async def group() -> str:
    """Use a task group, one of whose tasks fails, in the first step of the call."""

    async def wrong() -> None:
        raise KeyError("x")

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wrong())
            await asyncio.sleep(60)
    except* KeyError:
        pass
    return "caught"


@node("t.grow", output="items")
async def grow(items: list[int]) -> list[int]:
    """Change what it was given."""
    items.append(0)
    return items


def _names(node: Node) -> Ports:
    code = node.code or ""
    if "(" in code:
        raise CodeError("'(' was never closed", line=1, column=code.index("(") + 1)
    words = dict.fromkeys(word for word in code.split() if word.isidentifier())
    return Ports(tuple(Port(word, required=True) for word in words), (Port("result"),))


@node("t.code", returns="ports", outputs=(Port("result"),), language="words", resolve=_names)
async def code(**inputs: Any) -> dict[str, Any]:
    """Give the values of all words in the code."""
    return {"result": list(inputs.values())}


@node("t.cancel_oneself", output="value", cache="none")
async def cancel_oneself(way: str = "return") -> str:
    """Ask for the cancellation of one's own task, and end before or after it comes."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    if way == "raise":
        raise ValueError(way)
    if way == "swallow":
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
    return way


pack = Pack(
    name="t",
    version="1",
    title="Test",
    nodes=(
        value, number, add, half, text, upper, count, cached, wait, fail, leave, flaky, branch, skip, merge, block,
        track, bars, tokens, numbers, map_items, recurse, secret, tmp, stubborn, timed, group, grow, code,
        cancel_oneself, fresh,
    ),
)  # fmt: skip
library = Library([pack])
