"""What workers use: measured every few seconds, and as text for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spellwork.workers.usage import usage_of

from .views import WorkerView


@dataclass(slots=True)
class Meter:
    """What the processes of one worker use. ``cpu_seconds`` counts since the server started."""

    memory_bytes: int = 0
    cpu_percent: float = 0.0
    cpu_seconds: float = 0.0
    seen_seconds: float = 0.0
    at: float = 0.0


class Meters:
    """Meters by worker. ``measure`` is for a thread; the others are for the event loop's."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}

    def of(self, worker: str) -> Meter:
        """Return a worker's meter."""
        return self._meters.get(worker) or Meter()

    def forget(self, worker: str) -> None:
        """Forget a worker that is no more."""
        self._meters.pop(worker, None)

    def measure(self, pids: Mapping[str, Sequence[int]]) -> list[str]:
        """Measure workers by the ids of their processes; return those of which something changed notably."""
        changed: list[str] = []
        for worker in [each for each in self._meters if each not in pids]:
            meter = self._meters[worker]
            meter.memory_bytes, meter.cpu_percent, meter.seen_seconds = 0, 0.0, 0.0
        for worker, each in pids.items():
            meter = self._meters.setdefault(worker, Meter())
            usage, now = usage_of(each), time.monotonic()
            used = max(0.0, usage.cpu_seconds - meter.seen_seconds)
            before = (meter.memory_bytes // 2**20, round(meter.cpu_percent))
            if meter.at:
                meter.cpu_percent = round(100 * used / max(now - meter.at, 0.001), 1)
            meter.cpu_seconds += used
            meter.seen_seconds, meter.at = usage.cpu_seconds, now
            meter.memory_bytes = usage.memory_bytes
            if before != (meter.memory_bytes // 2**20, round(meter.cpu_percent)):
                changed.append(worker)
        return changed


_STATES = ("absent", "provisioning", "starting", "ready", "busy", "stopped", "failed")


def prometheus(workers: Iterable[tuple[WorkerView, Meter]]) -> str:
    """Return the workers in Prometheus's text format 0.0.4; a worker is named by its id and kind alone."""
    found = sorted(workers, key=lambda each: each[0].id)
    families: list[tuple[str, str, str, list[tuple[str, float]]]] = [
        (
            "spellwork_worker_cpu_seconds_total",
            "counter",
            "Processor time of a worker's processes.",
            [(_labels(view), meter.cpu_seconds) for view, meter in found],
        ),
        (
            "spellwork_worker_memory_bytes",
            "gauge",
            "Resident memory of a worker's processes.",
            [(_labels(view), view.metrics.memory_bytes or 0) for view, _ in found],
        ),
        (
            "spellwork_worker_queue",
            "gauge",
            "Calls that wait for the worker.",
            [(_labels(view), view.metrics.queue) for view, _ in found],
        ),
        (
            "spellwork_worker_running",
            "gauge",
            "Calls under way.",
            [(_labels(view), view.metrics.running) for view, _ in found],
        ),
        (
            "spellwork_worker_calls_total",
            "counter",
            "Calls begun.",
            [(_labels(view), view.metrics.calls) for view, _ in found],
        ),
        (
            "spellwork_worker_failures_total",
            "counter",
            "Calls whose process ended under them.",
            [(_labels(view), view.metrics.failures) for view, _ in found],
        ),
        (
            "spellwork_worker_restarts_total",
            "counter",
            "Processes that were replaced.",
            [(_labels(view), view.restarts) for view, _ in found],
        ),
        (
            "spellwork_worker_state",
            "gauge",
            "1 for the state that the worker is in.",
            [
                (_labels(view, state), float(view.state == state))
                for view, _ in found
                for state in _STATES
            ],
        ),
    ]
    lines: list[str] = []
    for name, kind, words, samples in families:
        lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{labels} {value:g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(view: WorkerView, state: str | None = None) -> str:
    labels = f'worker="{view.id}",kind="{view.kind}"'
    return f'{{{labels},state="{state}"}}' if state else f"{{{labels}}}"
