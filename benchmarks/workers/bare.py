"""The bare limits: bytes to another process and back over pipes, and memory copied."""

from __future__ import annotations

import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Iterable

from benchmarks.report import Figure

ROUNDS = 5_000
MESSAGE = b"x" * 200
"""About as long as the frame of a small call."""

TABLE = 100_000_000


def figures() -> Iterable[Figure]:
    yield Figure("200 bytes there and back over a pair of sockets, median", 1e3 * _echo(), "ms")
    copied, written = _copy()
    yield Figure("memory copied", TABLE / copied / 1e6, "MB/s")
    yield Figure("memory written into a memfd, its pages made", TABLE / written / 1e6, "MB/s")


def _echo() -> float:
    here, there = socket.socketpair()
    process = multiprocessing.get_context("fork").Process(target=_answer, args=(there,))
    process.start()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        here.sendall(MESSAGE)
        here.recv(4_096)
        times.append(time.perf_counter() - began)
    here.close()
    process.terminate()
    process.join()
    return statistics.median(times)


def _answer(there: socket.socket) -> None:
    while data := there.recv(4_096):
        there.sendall(data)


def _copy() -> tuple[float, float]:
    data = bytearray(os.urandom(1_000_000)) * (TABLE // 1_000_000)
    target = bytearray(TABLE)
    copied = min(_timed_copy(target, data) for _ in range(3))
    return copied, min(_timed_write(data) for _ in range(3))


def _timed_copy(target: bytearray, data: bytearray) -> float:
    began = time.perf_counter()
    target[:] = data
    return time.perf_counter() - began


def _timed_write(data: bytearray) -> float:
    fd = os.memfd_create("bench")
    began = time.perf_counter()
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    took = time.perf_counter() - began
    os.close(fd)
    return took
