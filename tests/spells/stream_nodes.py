"""Node types that stream, for the engine's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from typing_extensions import TypedDict

from spellwork import Context, Library, NodeError, Pack, node


class Gates:
    """What the nodes of a test wait for, and how far they came; ``reset`` before each test."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all."""
        self.open = asyncio.Event()
        self.made: list[Any] = []
        self.tries = 0


gates = Gates()


@node("s.count", output="items", cache="none")
async def count(many: int = 10, fail_at: int = -1, wait_at: int = -1) -> AsyncIterator[int]:
    """Count; ``wait_at`` waits for the gate, ``fail_at`` fails."""
    for number in range(many):
        if number == wait_at:
            await gates.open.wait()
        if number == fail_at:
            raise NodeError("no further")
        gates.made.append(number)
        yield number


@node("s.kept", output="items")
async def kept(many: int = 10) -> AsyncIterator[int]:
    """Count; may be cached."""
    gates.tries += 1
    for number in range(many):
        yield number


@node("s.loose", output="items", cache="none")
async def loose() -> AsyncIterator[Any]:
    """Not only numbers."""
    for item in (1, "x", 2):
        yield item


@node("s.words", output="text", cache="none")
async def words(text: str = "a b c") -> AsyncIterator[str]:
    """A text, word by word."""
    for word in text.split(" "):
        yield word


@node("s.bytes", output="data", cache="none")
async def raw(many: int = 3) -> AsyncIterator[bytes]:
    """Bytes."""
    for number in range(many):
        yield bytes([number])


@node("s.threaded", output="items", cache="none")
def threaded(many: int = 10, fail_at: int = -1) -> Iterator[int]:
    """Count, in a thread."""
    for number in range(many):
        if number == fail_at:
            raise NodeError("no further")
        gates.made.append(number)
        yield number


@node("s.in_place", output="items", isolation="inline", cache="none")
def in_place(many: int = 10) -> Iterator[int]:
    """Count, in place."""
    for number in range(many):
        gates.made.append(number)
        yield number


@node("s.double", output="items", cache="none")
async def double(items: AsyncIterator[int]) -> AsyncIterator[int]:
    """Twice each."""
    async for item in items:
        yield 2 * item


@node("s.double_threaded", output="items", cache="none")
def double_threaded(items: Iterator[int]) -> Iterator[int]:
    """Twice each, in a thread."""
    for item in items:
        yield 2 * item


@node("s.total", output="sum", cache="none")
async def total(items: AsyncIterator[int]) -> int:
    """The sum."""
    return sum([item async for item in items])


@node("s.total_kept", output="sum")
async def total_kept(items: AsyncIterator[int]) -> int:
    """The sum; may be cached."""
    gates.tries += 1
    return sum([item async for item in items])


@node("s.total_threaded", output="sum", cache="none")
def total_threaded(items: Iterator[int]) -> int:
    """The sum, in a thread."""
    return sum(items)


@node("s.whole", output="sum", cache="none")
async def whole(items: list[int]) -> int:
    """The sum of a list."""
    return sum(items)


@node("s.first", output="items", cache="none")
async def first(items: AsyncIterator[int], many: int = 2) -> list[int]:
    """The first so many; goes away then, and waits for the gate."""
    taken = []
    async for item in items:
        taken.append(item)
        if len(taken) == many:
            break
    return taken


@node("s.slow", output="items", cache="none")
async def slow(items: AsyncIterator[int], after: int = 1) -> list[int]:
    """All; waits for the gate after so many."""
    taken = []
    async for item in items:
        taken.append(item)
        if len(taken) == after:
            await gates.open.wait()
    return taken


@node("s.seen", output="text", cache="none")
async def seen(items: AsyncIterator[Any]) -> str:
    """What came, as text."""
    return repr([item async for item in items])


@node("s.joined", output="items", many=("items",), cache="none")
async def joined(items: list[AsyncIterator[int]]) -> list[int]:
    """One stream to its end, then the next."""
    return [item for stream in items async for item in stream]


@node("s.both", output="items", cache="none")
async def both(one: AsyncIterator[int], other: AsyncIterator[int]) -> list[int]:
    """One stream to its end, then the other."""
    return [item async for item in other] + [item async for item in one]


@node("s.catching", output="text", cache="none")
async def catching(items: AsyncIterator[int]) -> str:
    """What came until it failed, and the failure."""
    taken = []
    try:
        async for item in items:
            taken.append(item)  # noqa: PERF401 - those before the failure are kept
    except NodeError as error:
        return f"{taken} {error.code}"
    return str(taken)


@node("s.flaky", output="items", cache="none", retries=1, backoff=0)
async def flaky(after: int = 0) -> AsyncIterator[int]:
    """Fails once, after so many."""
    gates.tries += 1
    for number in range(4):
        if number == after and gates.tries == 1:
            raise NodeError("try again")
        yield number
        await asyncio.sleep(0)


@node("s.again", output="sum", cache="none", retries=1, backoff=0)
async def again(items: AsyncIterator[int]) -> int:
    """Fails once after it has taken all."""
    taken = [item async for item in items]
    gates.tries += 1
    if gates.tries == 1:
        raise NodeError("try again")
    return sum(taken)


@node("s.sender", output="items", cache="none")
async def sender(ctx: Context, many: int = 10, wait: bool = True) -> Any:
    """Sends chunks beside its result."""
    for number in range(many):
        gates.made.append(number)
        if wait:
            await ctx.send("items", number)
        else:
            ctx.emit("items", number)
    return "whole"


class Two(TypedDict):
    """Two outputs."""

    one: str
    other: int


@node("s.leaving", cache="none")
async def leaving(ctx: Context) -> Two:
    """Sends on one output, and returns the other."""
    await ctx.send("one", "x")
    ctx.emit("one", "y")
    return {"other": 1}  # type: ignore[typeddict-item]


@node("s.logs", output="items", cache="none")
async def logs(ctx: Context) -> AsyncIterator[int]:
    """Chunks and log lines by turns."""
    for number in range(3):
        yield number
        ctx.log(str(number))


pack = Pack(
    name="s",
    version="1",
    title="Streams",
    nodes=(
        count, kept, loose, words, raw, threaded, in_place, double, double_threaded, total, total_kept, total_threaded,
        whole, first, slow, seen, joined, both, catching, flaky, again, sender, leaving, logs,
    ),
)  # fmt: skip

library = Library([pack])
