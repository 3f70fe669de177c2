"""Puts runs into queues, and ends those that wait there or go on in another process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from spellwork import RunResult
from spellwork_server.queues.errors import QueueDraining
from spellwork_server.queues.retries import Retry
from spellwork_server.storage.queues import QueueStore
from spellwork_server.storage.run_records import RunRecord

from .resting import TryAgain
from .runners import Runners
from .spell_runner import Place, Queued, RunRequest


class Queueing:
    """The one way of runs into queues, for operations, triggers and nodes that run elsewhere.

    ``ring`` says to this process's dispatcher that something waits.
    """

    def __init__(
        self,
        runners: Runners,
        store: QueueStore,
        process: Callable[[], str],
        ring: Callable[[], None],
    ) -> None:
        self._runners = runners
        self._store = store
        self._process = process
        self._ring = ring

    async def put(
        self,
        user: str,
        canvas: str | None,
        request: RunRequest,
        place: Place,
        *,
        begun: bool = False,
    ) -> Queued:
        """Keep a run that waits in a queue; returns once its record is durable. What the user may do is checked before.

        ``begun``: it is part of a run of that queue, which goes on to its end also where the queue is draining.
        Raises QueueDraining, and what keeps the spell from being compiled.
        """
        rule = None if begun else (await self._store.queues()).get(place.queue)
        if rule is not None and rule.state == "draining":
            raise QueueDraining(place.queue)
        runner = await self._runners.acquire(user, canvas)
        try:
            queued = await runner.queue(request, place)
        finally:
            self._runners.release(runner)
        self._ring()
        return queued

    async def open_runs(self, **where: Any) -> list[RunRecord]:
        """Return the runs that have not ended with these values of columns; a list is any of it."""
        return await self._store.open_of(**where)

    async def cancel(self, records: Sequence[RunRecord]) -> int:
        """End runs wherever they are: at once here and in queues, within a second elsewhere. Return how many are asked to."""
        elsewhere: list[str] = []
        count = 0
        for record in records:
            here = self._runners.find(record.id)
            if here is not None:
                here.cancel()
                count += 1
            elif await self._end_waiting(record):
                count += 1
            else:
                elsewhere.append(record.id)
        if elsewhere:
            await self._store.mark_cancelled(elsewhere)
        return count + len(elsewhere)

    async def _end_waiting(self, record: RunRecord) -> bool:
        """End a run that waits: in a queue, or for people. False where a process carries it."""
        if record.status == "waiting":
            return await self._runners.end_stored(record)
        if record.status != "queued" or record.process_id is not None:
            return False
        taken = await self._store.take_waiting(self._process(), record.id)
        if taken is None:
            return False
        await self._runners.end_claimed(taken, "cancelled")
        return True


def tries_again(now: Callable[[], float]) -> TryAgain:
    """Return what decides whether a run whose nodes failed is tried again; ``now`` is the clock of delays."""

    def try_again(record: RunRecord, result: RunResult) -> float | None:
        retry = Retry.of(record.retry)
        failures = [(each.code, each.retryable) for each in result.errors.values()]
        if not retry.again(record.attempt, failures):
            return None
        at = now() + retry.delay(record.attempt)
        return None if record.deadline is not None and at >= record.deadline else at

    return try_again
