"""What is kept and told when a run ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork import Event, Plan, RunResult
from spellwork_server.grants.masking import Masks
from spellwork_server.storage.group_commit import Job
from spellwork_server.storage.output_refs import OutputRef, ref_to
from spellwork_server.storage.outputs import insert_references, insert_values
from spellwork_server.storage.run_figures import forget_tokens
from spellwork_server.storage.run_progress import forget_progress
from spellwork_server.storage.run_records import mark_ended

from .insides import ALL_SHOWN, Insides
from .references import encode, is_stand_in, preview_of
from .views import Status

Left = dict[str, dict[str, OutputRef]]
"""Where the values are that nodes left: {node: {port: reference}}."""

KEPT = "kept"
"""Why a node of a forked run did not run: it is as it was in the run before."""

KINDS = {"completed": "run.completed", "failed": "run.failed"}
"""The kind of the last event by status; every other status is ``run.cancelled``."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How one run ended. ``result`` is None when it never began or broke; ``left`` is what its nodes said they left."""

    run: str
    plan: Plan
    status: Status
    at: float
    result: RunResult | None
    said: Event | None
    error: dict[str, Any] | None
    message: str | None
    left: Left
    insides: Insides = ALL_SHOWN
    masks: Masks = field(default_factory=Masks)
    usage: Sequence[dict[str, Any]] = ()
    """What nodes reported of tokens, by type, provider and model."""
    kept_aside: bool = False
    """Whether how far it was, or what it took, may have been kept before."""

    def event(self, kept: Left) -> Event:
        """Return the run's last event: the engine's own, with what a tab needs to replay the run."""
        kind = KINDS.get(self.status, "run.cancelled")
        said = (self.said.data if self.said else None) or {}
        return Event(
            kind=kind,  # type: ignore[arg-type] # one of the kinds, by the table above
            at=self.at,
            duration=self.said.duration if self.said else None,
            message=self.message,
            error=self.error if kind == "run.failed" else None,
            data=said
            | {
                "status": self.status,
                "order": self._order(),
                "failed": sorted(self.result.errors) if self.result else [],
                "skipped": sorted(self.result.skipped) if self.result else [],
                "hashes": self._hashes(self.left | kept),
            },
        )

    def kept(self, known: Left, inline_bytes: int) -> Left:
        """Return where the values are of nodes that said nothing, as nothing they depend on changed."""
        found: Left = {}
        for node, outputs in self.result.outputs.items() if self.result else ():
            if node not in self.left:
                places = known.get(node, {})
                found[node] = {
                    port: places.get(port) or _refer(node, port, value, inline_bytes)
                    for port, value in outputs.items()
                }
        return found

    def writing(self, kept: Left, known: Left) -> Job[None]:
        """Return the job that keeps the end, with the values of ``kept`` that are not ``known`` to be kept."""
        summary = self.summary()
        result = self.result
        ran = result.duration if result is not None and self.status == "interrupted" else 0.0
        missing = {
            ref.hash: encode(result.outputs[node][port]).body
            for node, ports in kept.items()
            for port, ref in ports.items()
            if result is not None and port not in known.get(node, {})
        }
        refs = [ref for ports in kept.values() for ref in ports.values()]

        async def write(conn: AsyncConnection) -> None:
            await insert_values(conn, missing)
            await insert_references(conn, self.run, refs)
            if self.kept_aside:
                await forget_progress(conn, self.run)
                await forget_tokens(conn, self.run)
            await mark_ended(conn, self.run, self.status, self.at, summary, ran)

        return write

    def _order(self) -> list[str]:
        return self.plan.running

    def _hashes(self, left: Left) -> dict[str, dict[str, str]]:
        hashes: dict[str, dict[str, str]] = {}
        for node in self._order():
            if (ports := left.get(node)) is not None:
                hashes[node] = named = {}
                for port, ref in ports.items():
                    named[port] = ref.hash
        return hashes

    def summary(self) -> dict[str, Any]:
        """Return what the record keeps; the values themselves are kept by hash."""
        summary: dict[str, Any] = {"order": self._order(), "error": self.error}
        result = self.result
        if result is not None:
            durations = result.durations.items()
            summary |= {
                "errors": {
                    node: self.insides.failure(failure.to_json())
                    for node, failure in result.errors.items()
                },
                "skipped": result.skipped,
                "why": result.why,
                "durations": {node: round(seconds, 6) for node, seconds in durations},
                "names": {
                    node: name
                    for node in result.errors
                    if node in self.plan and (name := self.plan[node].node.name)
                },
            }
        if self.usage:
            summary["usage"] = list(self.usage)
        return self.masks.plain(summary) if self.masks else summary


def _refer(node: str, port: str, value: Any, inline_bytes: int) -> OutputRef:
    encoded = encode(value)
    large = encoded.size > inline_bytes and not is_stand_in(encoded.hash, encoded.body)
    preview = preview_of(encoded.body) if large else None
    return ref_to(node, port, encoded.hash, encoded.body, preview)
