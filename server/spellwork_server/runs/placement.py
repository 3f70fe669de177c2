"""Calls of nodes that are placed on a queue: each is a run of that one node, by whoever listens there.

The child run is durable, and known by the parent's run and the node's path
(``Context.idempotency_key``): a parent that goes on after a crash finds the
child that it had queued, whether that waits, goes or has ended, and makes no
second one. Nobody else can put a run in its stead: its key begins with what
``runs.create`` refuses, and what a parent takes must be its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from spellwork import NodeError, Spell
from spellwork.context import Context
from spellwork.spell import Node
from spellwork.step import Step
from spellwork_server.errors import ServerError
from spellwork_server.queues.endings import Endings
from spellwork_server.queues.places import Places
from spellwork_server.queues.retries import PERMANENT
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.queues import QueueStore
from spellwork_server.storage.run_records import OPEN, RunRecord, RunRecords

from .call_news import CallNews
from .journal import Journal
from .queueing import Queueing
from .references import is_stand_in
from .run import Run
from .runners import Runners
from .spell_runner import OWN_KEYS, Place, RunRequest
from .streams import calls_of, stream_of
from .views import Audience

PLACED = "node"
"""The id of the one node in the run of a call."""


class Placement:
    """The executor of calls with ``settings.queue``.

    So that parents never keep their children from running, ``resting`` gives
    the place of a run in this process to others for as long as a call of it
    waits, and ``places`` that in its queue while it does nothing else.
    """

    def __init__(
        self,
        runners: Runners,
        queueing: Queueing,
        endings: Endings,
        store: QueueStore,
        records: RunRecords,
        outputs: OutputStore,
        resting: Callable[[str], AbstractContextManager[None]],
        places: Places,
        journal: Journal,
    ) -> None:
        self._runners = runners
        self._queueing = queueing
        self._endings = endings
        self._store = store
        self._records = records
        self._outputs = outputs
        self._resting = resting
        self._places = places
        self._news = CallNews(journal, outputs, runners.spawn, PLACED)
        self._ending: set[str] = set()
        """Calls that this process has cancelled, and that have not ended."""

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Queue the call, wait for its end, and return its outputs by port. Raises NodeError with its failure.

        A call that is cancelled with its run cancels the child; one whose run
        goes on elsewhere leaves it be.
        """
        queue = step.node.settings.queue
        assert queue is not None
        try:
            going = self._runners.find(context.run_id)
            if going is not None:
                await going.secure()
            parent = await self._records.get(context.run_id)
            if parent is None:
                raise NodeError("the run is not kept any more", code="cancelled", retryable=False)
            audience = _audience(parent, context)
            stream = stream_of(parent.canvas_id, parent.user_id, audience)
            async with self._news.following(calls_of(stream)) as calls:
                child = await self._child(parent, audience, queue, step, inputs, context)
                async with calls.told(child.id, context):
                    await self._called(child.id, queue, context)
        except ServerError as error:
            raise NodeError(
                error.message, code=error.code, details=error.details, retryable=error.status >= 500
            ) from error
        return await self._outcome(child.id)

    async def _called(self, child: str, queue: str, context: Context) -> None:
        """Return once a call has ended. Who is cancelled meanwhile cancels it."""
        context.waits("queue", f"called by whoever listens to the queue {queue}")
        try:
            await self._wait(child, context)
        except asyncio.CancelledError:
            parent = self._runners.find(context.run_id)
            if parent is None or not parent.goes_elsewhere:
                self._ending.add(child)
                self._runners.spawn(self._cancel(child))
            raise

    def parent_gone(self, run: str) -> None:
        """Cancel the calls of a run that was ended while nobody carried it; a watcher for ``Runners``."""
        self._runners.spawn(self._cancel_calls(run))

    def parent_ended(self, run: Run) -> None:
        """Do the same for one that ended here, where it was taken up again and may not have come to its calls."""
        if run.went_before and not run.goes_elsewhere and run.status != "interrupted":
            self._runners.spawn(self._cancel_calls(run.id))

    async def _cancel_calls(self, run: str) -> None:
        await self._queueing.cancel(await self._queueing.open_runs(parent_id=run))

    async def _wait(self, child: str, context: Context) -> None:
        """Return once the child has ended, and the parent has its place again."""
        with self._resting(context.run_id):
            parent = self._runners.find(context.run_id)
            record = None if parent is None else parent.kept
            if parent is None or record is None or record.queue is None:
                await self._endings.wait(child)
                return
            place = self._places.take((parent.id, parent.fence), record.queue, parent.ended)
            try:
                with context.elsewhere(place.tell):
                    await self._endings.wait(child)
                    await place.have()
            except BaseException:  # a timeout, say: what the run does then counts
                place.keep()
                raise
            finally:
                self._places.leave(place)

    async def _child(
        self,
        parent: RunRecord,
        audience: Audience,
        queue: str,
        step: Step,
        inputs: dict[str, Any],
        context: Context,
    ) -> RunRecord:
        ending = frozenset(self._ending)  # before the look: one may end while it is looked for
        key = OWN_KEYS + context.idempotency_key
        known = await self._known(queue, key, parent)
        if known is not None and known.id in ending:  # of an attempt that took too long
            await self._endings.wait(known.id)
            known = await self._known(queue, key, parent)
        if known is not None and (known.status in OPEN or _succeeded(known)):
            return known
        request = RunRequest(
            spell=_spell(step, inputs, parent),
            audience=audience,
            on_busy="parallel",
            durable=True,
        )
        place = Place(
            queue,
            priority=parent.priority + 1,
            deadline=parent.deadline,
            dedupe_key=key,
            parent=parent.id,
        )
        queued = await self._queueing.put(
            parent.user_id, parent.canvas_id, request, place, begun=parent.queue == queue
        )
        if not _is_of(queued.record, parent):
            raise NodeError("another run has the key of the call", code="conflict", retryable=False)
        return queued.record

    async def _known(self, queue: str, key: str, parent: RunRecord) -> RunRecord | None:
        """Return the newest run of a call, if it is of this parent."""
        known = await self._store.find_by_key(queue, key)
        return known if known is not None and _is_of(known, parent) else None

    async def _outcome(self, run: str) -> dict[str, Any]:
        record = await self._records.get(run)
        if record is None:
            raise NodeError(f"run {run}, which made the call, was removed", code="run_removed")
        if not _succeeded(record):
            raise _failure(record)
        refs = [ref for ref in await self._outputs.of_run(run) if ref.node == PLACED]
        bodies = await self._outputs.values(refs)
        return {ref.port: _value(ref.port, ref.hash, bodies) for ref in refs}

    async def _cancel(self, run: str) -> None:
        try:
            record = await self._records.get(run)
            if record is not None and record.status in OPEN:
                await self._queueing.cancel([record])
                await self._endings.wait(run)
        finally:
            self._ending.discard(run)


def _spell(step: Step, inputs: dict[str, Any], parent: RunRecord) -> Spell:
    """Return a spell of one node, its inputs typed in. The parent tries again and takes the time, not the child."""
    settings = step.node.settings.model_copy(
        update={"queue": None, "retries": 0, "timeout": None, "limits": None}
    )
    node = step.node.model_copy(
        update={"inputs": inputs, "settings": settings, "group": None, "name": step.label}
    )
    drawn = Node.model_validate(node.model_dump(mode="json", exclude_none=True))
    requirements = (parent.spell or {}).get("requirements")
    spell: dict[str, Any] = {"name": step.label, "nodes": {PLACED: drawn}}
    if requirements:
        spell["requirements"] = requirements
    return Spell.model_validate(spell)


def _audience(parent: RunRecord, context: Context) -> Audience:
    """Return who may see a call: of a node inside another one its user alone, for what runs there may be hidden from others."""
    inside = "/" in context.path
    return "private" if inside or parent.audience == "private" else "shared"


def _is_of(child: RunRecord, parent: RunRecord) -> bool:
    return (child.parent_id, child.user_id) == (parent.id, parent.user_id)


def _succeeded(record: RunRecord) -> bool:
    return record.status == "completed" and not (record.result or {}).get("errors")


def _failure(record: RunRecord) -> NodeError:
    """Return what the call fails with: what its node failed with, or what ended its run."""
    result = record.result or {}
    error = next(iter(result.get("errors", {}).values()), None) or result.get("error") or {}
    code = error.get("code") or record.status
    permanent = record.status == "cancelled" or code in PERMANENT
    failure = NodeError(
        error.get("message") or f"run {record.id}, which made the call, is {record.status}",
        code=code,
        port=error.get("port"),
        details={"run": record.id, **error.get("details", {})},
        retryable=not permanent and error.get("retryable", True),
    )
    failure.traceback = error.get("traceback")  # type: ignore[attr-defined] # as of a worker
    return failure


def _value(port: str, key: str, bodies: dict[str, bytes]) -> Any:
    body = bodies.get(key)
    if body is None or is_stand_in(key, body):
        raise NodeError(
            f"the output {port!r} stays in the worker of the process that made it",
            code="not_transferable",
            port=port,
            retryable=False,
        )
    return msgspec.json.decode(body)
