"""Streams by themselves: every reader gets every chunk, in order, and nobody is far ahead of the slowest."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork.errors import NodeError, StreamEnded
from spellwork.standstill import Party
from spellwork.streams import PIECE, Reader, Stream, accumulate, chunks_of
from tests.seeds import examples

pytestmark = pytest.mark.anyio


async def write(stream: Stream, count: int, pauses: AbstractSet[int] = frozenset()) -> int:
    """Put so many numbers, pausing before some; return how far ahead of the slowest reader it ever got."""
    ahead = 0
    for number in range(count):
        if number in pauses:
            await asyncio.sleep(0)
        await stream.put(number)
        ahead = max([ahead, *(stream.end - reader.position for reader in stream._readers)])
    stream.close()
    return ahead


async def read(reader: Reader, pause: int = 0, most: int | None = None) -> list[Any]:
    """Return what a reader gets that gives up its turn so often after each chunk, and goes after ``most``."""
    got: list[Any] = []
    async for chunk in reader:
        got.append(chunk)
        for _ in range(pause):
            await asyncio.sleep(0)
        if len(got) == most:
            break
    await reader.aclose()
    return got


@pytest.mark.rule("12.1")
@settings(max_examples=examples(60), deadline=None)
@given(
    count=st.integers(0, 60),
    capacity=st.integers(1, 20),
    readers=st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(1, 30)), max_size=4),
    pauses=st.sets(st.integers(0, 60)),
)
def test_every_reader_gets_every_chunk_in_order(
    count: int,
    capacity: int,
    readers: list[tuple[int, int | None]],
    pauses: set[int],
) -> None:
    async def run() -> None:
        stream = Stream("x", capacity, readers=len(readers))
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(read(stream.read(), *each)) for each in readers]
            writing = tasks.create_task(write(stream, count, pauses))
        for task, (_, most) in zip(reading, readers, strict=True):
            assert task.result() == list(range(count))[:most]
        assert writing.result() <= capacity
        assert stream.whole() == list(range(count))

    asyncio.run(run())


@pytest.mark.rule("12.6")
@settings(max_examples=examples(40), deadline=None)
@given(capacity=st.integers(1, 8), turns=st.integers(0, 40), readers=st.integers(1, 3))
def test_a_cancel_at_any_point_leaves_no_task_and_nobody_who_waits(
    capacity: int, turns: int, readers: int
) -> None:
    async def run() -> None:
        stream = Stream("x", capacity, readers=readers)
        async with asyncio.TaskGroup() as tasks:
            all_of_them: list[asyncio.Task[Any]] = [
                tasks.create_task(read(stream.read(), each)) for each in range(readers)
            ]
            all_of_them.append(tasks.create_task(write(stream, 1_000)))
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in all_of_them:
                task.cancel()
        assert not stream._room
        assert not stream.writer.waits
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


@pytest.mark.rule("12.2")
async def test_a_writer_waits_for_the_slowest_reader_and_for_none_that_has_not_begun() -> None:
    stream = Stream("x", 4, readers=2)
    late = stream.read()
    reader = stream.read()
    stream.feed(0)
    assert await anext(reader) == 0
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write(stream, 10))
        await asyncio.sleep(0.01)
        assert not writing.done()
        assert stream.end == 4
        await reader.aclose()  # who goes away holds nobody up
    assert await read(late) == [0, *range(10)]


async def test_taking_with_a_timeout_loses_nothing() -> None:
    stream = Stream("x")
    reader = stream.read()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(reader), 0.001)
    stream.feed(1)
    assert await anext(reader) == 1


async def test_two_coroutines_cannot_wait_on_one_reader() -> None:
    reader = Stream("x").read()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(read(reader))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one coroutine at a time"):
            await anext(reader)
        waiting.cancel()


@pytest.mark.rule("12.5")
async def test_a_failure_comes_after_the_chunks_that_came_before_it() -> None:
    stream = Stream("x")
    reader = stream.read()
    stream.feed(1)
    stream.fail(NodeError("broken"))
    assert await anext(reader) == 1
    with pytest.raises(NodeError, match="broken"):
        await anext(reader)
    with pytest.raises(StreamEnded, match="'x' has ended"):
        await stream.put(2)


@pytest.mark.rule("12.1")
@pytest.mark.parametrize(
    ("chunks", "whole"),
    [
        ([], []),
        (["a", "", "b"], "ab"),
        ([b"a", b"b"], b"ab"),
        ([1, "a"], [1, "a"]),
        (["a", 1], ["a", 1]),
        (["a", b"b"], ["a", b"b"]),
        ([[1], {"x": 2}], [[1], {"x": 2}]),
    ],
    ids=str,
)
def test_what_chunks_add_up_to(chunks: list[Any], whole: Any) -> None:
    assert accumulate(chunks) == whole


@pytest.mark.rule("12.4")
@pytest.mark.parametrize(
    ("whole", "chunks"),
    [
        ([1, [2]], [1, [2]]),
        ([], []),
        ("", []),
        ("ab", ["ab"]),
        ("a" * (PIECE + 1), ["a" * PIECE, "a"]),
        (b"ab", [b"ab"]),
        ({"x": 1}, [{"x": 1}]),
        (None, [None]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_the_chunks_of_a_whole(whole: Any, chunks: list[Any]) -> None:
    assert chunks_of(whole) == chunks


# Standstills


@pytest.mark.rule("12.3")
@pytest.mark.parametrize("capacity", [1, 2, 16])
async def test_who_reads_two_streams_of_one_writer_one_after_the_other_gets_both(
    capacity: int,
) -> None:
    writer, reader = Party(), Party()
    first, second = (Stream(name, capacity, readers=1, writer=writer) for name in "ab")
    a, b = first.read(reader), second.read(reader)

    async def fill() -> None:
        for number in range(100):
            await first.put(number)
            await second.put(-number)
        first.close()
        second.close()

    async def take() -> tuple[list[Any], list[Any]]:
        head = [await anext(b)]
        return await read(a), head + await read(b)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(take())
        tasks.create_task(fill())
    assert taking.result() == (list(range(100)), [-number for number in range(100)])


@pytest.mark.rule("12.3")
async def test_a_writer_that_is_merely_ahead_of_a_busy_join_stays_held() -> None:
    fast, slow, join = Party(), Party(), Party()
    quick, scarce = Stream("q", 4, writer=fast), Stream("s", 4, writer=slow)
    one, other = quick.read(join), scarce.read(join)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write(quick, 100))
        assert await anext(one) == 0
        waiting = tasks.create_task(read(other, most=1))
        await asyncio.sleep(0.01)  # whoever fills it is at work, and waits for nobody
        assert quick.end - one.position == 4
        scarce.feed("x")
        assert await waiting == ["x"]
        await one.aclose()
