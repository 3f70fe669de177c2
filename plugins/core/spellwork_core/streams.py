"""Streams: make them, group, cut, join and hold them. Each starts with the first chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from pydantic import Field

from spellwork import Context, Port, node
from spellwork.streams import accumulate

MAX_SECONDS = 3_600.0

Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


@node(
    "core.chunks",
    title="Chunks",
    category="Streams",
    output="chunks",
    keywords=("stream", "emit", "iterate", "each", "slow", "play"),
    example={"value": [1, 2, 3], "seconds": 0.5},
)
async def chunks(
    value: list[Any] | str, size: Count = 1, seconds: Seconds = 0
) -> AsyncIterator[Any]:
    """A list's items one after the other, or a text in pieces of ``size`` characters; so many seconds apart.

    Of a list, a ``size`` over 1 gives lists of so many items.
    """
    whole = isinstance(value, str) or size > 1
    for start in range(0, len(value), size):
        if start and seconds:
            await asyncio.sleep(seconds)
        yield value[start : start + size] if whole else value[start]


@node(
    "core.batch",
    title="Batch",
    category="Streams",
    output="batches",
    keywords=("stream", "group", "chunk", "buffer", "window"),
)
async def batch(chunks: AsyncIterator[Any], size: Count = 10) -> AsyncIterator[list[Any]]:
    """The chunks in lists of ``size``; the last may be shorter."""
    gathered: list[Any] = []
    async for chunk in chunks:
        gathered.append(chunk)
        if len(gathered) == size:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


@node(
    "core.take",
    title="Take",
    category="Streams",
    output="chunks",
    keywords=("stream", "first", "head", "limit", "skip"),
)
async def take(
    chunks: AsyncIterator[Any],
    count: Annotated[int, Field(ge=0)] = 10,
    skip: Annotated[int, Field(ge=0)] = 0,
) -> AsyncIterator[Any]:
    """So many chunks, after those to skip. It ends then, and slows the rest of the stream no longer."""
    if not count:
        return
    place = 0
    async for chunk in chunks:
        place += 1
        if place > skip:
            yield chunk
        if place == skip + count:
            return


@node(
    "core.lines",
    title="Lines",
    category="Streams",
    output="lines",
    keywords=("stream", "split", "text", "tokens", "row"),
)
async def lines(text: AsyncIterator[str]) -> AsyncIterator[str]:
    """Whole lines of a text while it still comes, with their ends; the last counts when there is something in it."""
    rest: list[str] = []
    async for piece in text:
        *ended, last = piece.split("\n")
        for line in ended:
            yield "".join([*rest, line, "\n"])
            rest = []
        rest.append(last)
    if left := "".join(rest):
        yield left


@node(
    "core.merge_streams",
    title="Merge streams",
    category="Streams",
    outputs=(Port("chunks", stream=True),),
    returns="ports",
    many=("streams",),
    cache="none",
    committed=False,
    keywords=("stream", "join", "interleave", "race"),
)
async def merge_streams(ctx: Context, streams: list[AsyncIterator[Any]]) -> dict[str, Any]:
    """The chunks of several streams, as they come."""
    came = False

    async def pass_on(stream: AsyncIterator[Any]) -> None:
        nonlocal came
        async for chunk in stream:
            came = True
            await ctx.send("chunks", chunk)

    try:
        async with asyncio.TaskGroup() as tasks:
            for stream in streams:
                tasks.create_task(pass_on(stream))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return {} if came else {"chunks": []}


@node(
    "core.collect",
    title="Collect",
    category="Streams",
    output="value",
    keywords=("stream", "whole", "join", "accumulate", "wait"),
)
async def collect(chunks: AsyncIterator[Any]) -> Any:
    """The whole of a stream, once it is there: texts joined, anything else as a list."""
    return accumulate([chunk async for chunk in chunks])
