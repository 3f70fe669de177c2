"""What code that is past the worker's own manners may do to the server's memory and descriptors: nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from spellwork.workers import WorkerDied, WorkerPool
from spellwork.workers.broker import Broker, Caller
from spellwork.workers.exchange import MOST_SAID, MOST_UNREAD

from .conftest import Bench

pytestmark = pytest.mark.anyio

HANDLES = Path("/proc/self/fd")
ANSWER = b"x" * (MOST_UNREAD // 16)


class Generous:
    """Grants no host, and answers every question with much."""

    answered = 0

    async def may_reach(self, caller: Caller, host: str, port: int) -> bool:
        return False

    async def answer(self, caller: Caller, what: str, fields: dict[str, Any]) -> Any:
        self.answered += 1
        return ANSWER


def descriptors() -> int:
    return len(list(HANDLES.iterdir()))


@pytest.mark.skipif(not HANDLES.is_dir(), reason="counts descriptors in /proc")
@pytest.mark.rule("19.8")
async def test_what_is_no_socket_of_a_pair_stays_not_open_in_the_server() -> None:
    door = Broker(Generous()).open(lambda: None)
    inside = socket.socket(fileno=os.dup(door.inner.fileno()))
    door.begin()
    before = descriptors()
    read, write = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as other:
        for handle in (read, write, other.fileno()) * 3:
            socket.send_fds(inside, [b"{}"], [handle])
        ours, theirs = (
            socket.socketpair()
        )  # the last question is a right one, and answered after the others
        socket.send_fds(inside, [b'{"host": "a.org", "port": 80}'], [theirs.fileno()])
        theirs.close()
        ours.setblocking(False)
        refused = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 4_096), 30)
        assert b"not granted" in refused
    for each in (read, write):
        os.close(each)
    ours.close()
    await asyncio.sleep(0)
    assert descriptors() == before
    inside.close()
    door.close()


@pytest.mark.rule("19.5")
async def test_what_is_written_past_python_is_bounded_too(bench: Bench) -> None:
    code = "import os\nfor _ in range(160):\n    os.write(2, b'x' * 65_536)\nx = 1"
    assert await bench.run(code) == {"x": 1}
    said = bench.of("node.log")
    assert sum(map(len, said)) < MOST_SAID + 1_000_000
    assert said[-1] == "(what the code logs further is dropped)"


ASKS = """
import time
from spellwork_worker import asking
from spellwork_worker.frames import Ask, encode
_asking = asking._current
_asking._send.__self__.on_answer = lambda answer: time.sleep(3_600)  # its pipe is read no more
for _n in range(100_000):
    _asking._send(encode(Ask(_asking._call(), _n + 1, "request", {})))
    time.sleep(0.001)
x = 1
"""


@pytest.mark.rule("19.6")
async def test_code_that_asks_and_does_not_read_the_answers_is_ended() -> None:
    grants = Generous()
    async with WorkerPool(memory_mb=512, broker=Broker(grants)) as pool:
        with pytest.raises(WorkerDied):
            await Bench(pool).run(ASKS)
        assert grants.answered < 100
        assert await Bench(pool).run("1") == {"result": 1}
