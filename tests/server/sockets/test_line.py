"""The queues behind a socket keep the order, and lose nothing when a wait is given up."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from engineio import packet

from spellwork_server.sockets.line import Line
from spellwork_server.sockets.outbox import Outbox
from spellwork_server.sockets.pace import Pace
from spellwork_server.sockets.rate import TokenBucket

pytestmark = pytest.mark.anyio


async def test_things_come_out_in_the_order_they_went_in() -> None:
    line: Line[int] = Line()
    line.put_nowait(1)
    line.put_nowait(2)
    assert [await line.get(), await line.get()] == [1, 2]
    waiting = line.get()
    line.put_nowait(3)
    line.put_nowait(4)
    assert [await waiting, await line.get()] == [3, 4]
    with pytest.raises(asyncio.QueueEmpty):
        line.get_nowait()


async def test_what_the_reader_has_in_hand_still_counts_as_waiting() -> None:
    """Else an event that comes next could overtake it."""
    line: Line[int] = Line()
    waiting = line.get()
    assert line.empty()
    line.put_nowait(1)
    assert not line.empty()
    assert await waiting == 1
    assert not line.empty(), "the reader works on it until it comes back"
    _next = line.get()
    assert line.empty()


async def test_nothing_is_lost_when_a_wait_is_given_up() -> None:
    line: Line[int] = Line()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line.get(), 0.001)
    line.put_nowait(1)
    assert await asyncio.wait_for(line.get(), 60) == 1


async def test_an_outbox_counts_what_waits_and_tells_when_all_is_written() -> None:
    outbox = Outbox()
    for _ in range(3):
        await outbox.put(packet.Packet(packet.MESSAGE, "x" * 100))
    assert outbox.pending_bytes == 300
    written = asyncio.get_running_loop().create_task(outbox.join())
    for left in (200, 100, 0):
        await outbox.get()
        assert outbox.pending_bytes == left
        assert not written.done()
        outbox.task_done()
    await written


async def test_a_pace_lets_few_go_on_in_a_turn_and_all_in_the_end() -> None:
    pace = Pace(4)
    passed: list[int] = []

    for number in range(50):
        pace.call(partial(passed.append, number))
    most = 0
    while len(passed) < 50:
        before = len(passed)
        await asyncio.sleep(0)
        most = max(most, len(passed) - before)
    assert passed == list(range(50))
    assert most <= 4


async def test_a_bucket_gives_what_it_has_and_says_when_there_is_more() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert 0 < bucket.take() <= 0.1
    assert 0.1 < bucket.take(2) <= 0.2
    await asyncio.sleep(0.11)  # the bucket goes by the clock
    assert bucket.take() == 0
