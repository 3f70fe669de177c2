"""Runs as the outside sees them: from the record, the values by hash, and the run itself while it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from spellwork_server.errors import NotFound
from spellwork_server.identity import Action, Actor, RunAccess, allowed, require
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.run_progress import ProgressRecords
from spellwork_server.storage.run_records import OPEN, RunRecord, RunRecords

from .errors import RunNotFound, ValueNotFound
from .gone_values import gone_among
from .inside_rights import InsideRights
from .insides import ALL_SHOWN
from .references import is_stand_in, reference
from .run import Run
from .streams import Access
from .views import RunProgress, RunView, TokensView

STAND_IN_BYTES = 512 * 1024
"""What is told of a value in a worker at most. It is always told whole."""


class RunReader:
    """Finds runs and what they left, for those who may see them."""

    def __init__(
        self,
        records: RunRecords,
        outputs: OutputStore,
        find_open: Callable[[str], Run | None],
        access: Access,
        inline_bytes: int,
        progress: ProgressRecords,
    ) -> None:
        self._records = records
        self._outputs = outputs
        self._find_open = find_open
        self._access = access
        self._inline = inline_bytes
        self._progress = progress
        self.insides = InsideRights(records, access)
        """What of a run's inside somebody may see now."""

    async def record(self, actor: Actor | None, run: str, action: Action = "run.read") -> RunRecord:
        """Return a run's record for somebody who may do ``action`` to it.

        To those who may not even read it, it does not exist.
        """
        record = await self._records.get(run)
        if record is None:
            raise RunNotFound(run)
        thing = await self._thing(record.id, record.canvas_id, record.user_id, record.audience)
        if actor is None or thing is None or not allowed(actor, "run.read", thing):
            raise RunNotFound(run)
        require(actor, action, thing)
        return record

    async def allows(self, actor: Actor, record: RunRecord, action: Action) -> bool:
        """Say whether somebody may do ``action`` to a run, without raising."""
        thing = await self._thing(record.id, record.canvas_id, record.user_id, record.audience)
        return thing is not None and allowed(actor, action, thing)

    async def view(self, actor: Actor | None, record: RunRecord) -> RunView:
        """Return a run with all that its nodes left, as somebody who may read it sees it."""
        insides = ALL_SHOWN if actor is None else await self.insides.of_record(actor, record)
        refs = [ref for ref in await self._outputs.of_run(record.id) if "/" not in ref.node]
        small = [ref for ref in refs if ref.preview is None]
        bodies = await self._outputs.values(small, at_most=max(self._inline, STAND_IN_BYTES))
        result = record.result or {}
        told = [key for key, body in bodies.items() if is_stand_in(key, body)]
        order = result.get("order") or sorted({ref.node for ref in refs})
        by_node: dict[str, list[OutputRef]] = {}
        for ref in refs:
            by_node.setdefault(ref.node, []).append(ref)
        placed = [node for node in order if node in by_node]
        return (await self.with_progress([self._head(record)]))[0].model_copy(
            update={
                "outputs": {
                    node: {ref.port: _value(ref, bodies) for ref in by_node[node]}
                    for node in placed
                },
                "hashes": {node: {ref.port: ref.hash for ref in by_node[node]} for node in placed},
                "errors": {
                    node: insides.failure(error) for node, error in result.get("errors", {}).items()
                },
                "error": result.get("error"),
                "skipped": result.get("skipped", {}),
                "why": result.get("why", {}),
                "durations": result.get("durations", {}),
                "order": order,
                "usage": [TokensView(**each) for each in result.get("usage", ())],
                "gone": gone_among(told),
                "spell": record.spell,
            }
        )

    def heads(self, records: Iterable[RunRecord]) -> list[RunView]:
        """Return runs as a list gives them."""
        return [self._head(record) for record in records]

    async def with_progress(self, views: Sequence[RunView]) -> list[RunView]:
        """Return runs with how far those are that have not ended and are not carried here."""
        wanted = [each.id for each in views if each.progress is None and each.status in OPEN]
        told = await self._progress.of(wanted)
        return [
            each.model_copy(update={"progress": RunProgress(**told[each.id])})
            if each.id in told
            else each
            for each in views
        ]

    async def of_canvas(
        self, actor: Actor, canvas: str, *, limit: int, before: float | None = None
    ) -> list[RunView]:
        """Return the runs of a canvas that the actor may see, newest first. The canvas's access is checked before."""
        found = await self._records.of_canvas(canvas, actor.user_id, limit=limit, before=before)
        return await self.with_progress(self.heads(found))

    async def of_stream(self, stream: str, *, limit: int) -> list[RunView]:
        """Return the runs whose events are in a stream, newest first. Who may follow it is checked before."""
        found = await self._records.of_stream(stream, limit=limit)
        return await self.with_progress(self.heads(found))

    async def may_read_value(self, actor: Actor, key: str) -> None:
        """Raise ValueNotFound unless a run that the actor may read has left the value: a hash is no permission."""
        for canvas, user, audience in await self._outputs.readers(key):
            thing = await self._thing("", canvas, user, audience)
            if thing is not None and allowed(actor, "run.read", thing):
                return
        for run, node, canvas, user, audience in await self._outputs.inside_readers(key):
            thing = await self._thing(run, canvas, user, audience)
            if thing is None or not allowed(actor, "run.read", thing):
                continue
            if not (await self.insides.of_run(actor, run)).hides(node):
                return
        raise _no_value(key)

    async def value(self, key: str) -> bytes:
        """Return the JSON of a value by hash, to be asked only for who may read it."""
        body = await self._outputs.body(key)
        if body is None:
            raise _no_value(key)
        return body

    async def left(self, ref: OutputRef) -> bytes:
        """Return the JSON of what a run left, to be asked only for who may read it."""
        return await self.value(ref.hash) if ref.body is None else ref.body

    async def on_port(
        self, actor: Actor | None, record: RunRecord, node: str, port: str
    ) -> OutputRef:
        """Return what a run left on a port, for somebody who may read the run."""
        ref = await self._outputs.ref_of_port(record.id, node, port)
        if (
            ref is None
            or actor is None
            or (await self.insides.of_record(actor, record)).hides(node)
        ):
            raise ValueNotFound(
                f"Run {record.id} left nothing on {node}.{port}",
                details={"run": record.id, "node": node, "port": port},
            )
        return ref

    def _head(self, record: RunRecord) -> RunView:
        going = self._find_open(record.id)
        request = record.request or {}
        return RunView(
            id=record.id,
            canvas=record.canvas_id,
            user=record.user_id,
            status=going.status if going is not None and going.is_open else record.status,
            mode=record.mode,
            audience=record.audience,
            created_at=record.created_at,
            started_at=record.started_at,
            ended_at=record.ended_at,
            stream=record.stream,
            scope=request.get("scope"),
            durable=record.durable,
            queue=record.queue,
            priority=record.priority,
            not_before=record.not_before,
            deadline=record.deadline,
            progress=going.progress if going is not None and going.is_open else None,
            attempt=record.attempt,
            trigger=record.trigger_id,
            forked_from=record.forked_from,
            parent=record.parent_id,
            children=request.get("children") or {},
        )

    async def _thing(
        self, run: str, canvas: str | None, user: str, audience: str
    ) -> RunAccess | None:
        """Return whose a run is; None when its canvas is gone."""
        try:
            access = None if canvas is None else await self._access(canvas)
        except NotFound:
            return None
        return RunAccess(run, user, "shared" if audience == "shared" else "private", access)


def _no_value(key: str) -> ValueNotFound:
    return ValueNotFound(f"There is no value {key!r} that you may read", details={"hash": key})


def _value(ref: OutputRef, bodies: dict[str, bytes]) -> Any:
    body = bodies.get(ref.hash)
    if body is None:
        return reference(ref.hash, ref.size, ref.preview)
    return msgspec.json.decode(body)
