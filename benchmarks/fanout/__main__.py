"""Measure what sending events to many sockets costs, with stock python-socketio beside ours.

    python -m benchmarks.fanout

5,000 events of 200 bytes to 1, 10 and 50 sockets at full speed: deliveries per second of server
CPU. Then 200 events a second to 50 sockets: how long they take to arrive. Server and readers are
processes of their own, started anew for each figure; the two servers take turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.report import Figure, print_figures

EVENTS = 5_000
SOCKETS = (1, 10, 50)
ROUNDS = 3
PACE, PACED_EVENTS = 200, 600
LEAST_RATIO = 10
MOST_P50_MS = 2


@dataclass(frozen=True)
class Measured:
    """What one round gave: CPU seconds of the server, and delays in milliseconds."""

    cpu: float
    p50: float
    p99: float


@contextmanager
def server(kind: str) -> Iterator[int]:
    """Run a server; give its port."""
    command = [sys.executable, "-m", "benchmarks.fanout.server", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def request(port: int, path: str, method: str = "GET") -> bytes:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with urllib.request.urlopen(asked, timeout=120) as answer:
        return bytes(answer.read())


def measure(kind: str, sockets: int, events: int, rate: float) -> Measured:
    with server(kind) as port:
        command = [sys.executable, "-m", "benchmarks.fanout.readers"]
        arguments = [str(port), str(sockets), str(events)]
        with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as readers:
            assert readers.stdout is not None
            assert readers.stdout.readline() == "ready\n"
            before = float(request(port, "/cpu"))
            request(port, f"/go?events={events}&rate={rate}", "POST")
            delays = json.loads(readers.stdout.readline())
            after = float(request(port, "/cpu"))
    return Measured(after - before, delays["p50"], delays["p99"])


def per_cpu_second(kind: str, sockets: int) -> float:
    """Return deliveries per second of server CPU."""
    return EVENTS * sockets / measure(kind, sockets, EVENTS, 0).cpu


def throughput() -> list[Figure]:
    figures = []
    for sockets in SOCKETS:
        rounds = [
            (per_cpu_second("ours", sockets), per_cpu_second("stock", sockets))
            for _ in range(ROUNDS)
        ]
        ours = statistics.median(each[0] for each in rounds)
        stock = statistics.median(each[1] for each in rounds)
        to = f"to {sockets} socket{'s' if sockets > 1 else ''}"
        least = LEAST_RATIO if sockets == max(SOCKETS) else None
        figures += [
            Figure(f"ours, {to}: deliveries per CPU second", ours, "/s"),
            Figure(f"stock python-socketio, {to}", stock, "/s"),
            Figure(f"ours over stock, {to}", ours / stock, "x", least=least),
        ]
    return figures


def latency() -> list[Figure]:
    figures = []
    for kind, most in (("ours", MOST_P50_MS), ("stock", None)):
        rounds = [measure(kind, max(SOCKETS), PACED_EVENTS, PACE) for _ in range(ROUNDS)]
        p50 = statistics.median(each.p50 for each in rounds)
        p99 = statistics.median(each.p99 for each in rounds)
        cpu = statistics.median(each.cpu for each in rounds) / (PACED_EVENTS / PACE)
        figures += [
            Figure(f"{kind}: p50", p50, "ms", most=most),
            Figure(f"{kind}: p99", p99, "ms"),
            Figure(f"{kind}: share of a core", cpu * 100, "%"),
        ]
    return figures


def main() -> int:
    """Measure and print; return 1 when a target is missed."""
    met = print_figures(f"{EVENTS:,} events of 200 bytes at full speed", throughput())
    met &= print_figures(f"{PACE} events/s to {max(SOCKETS)} sockets", latency())
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
