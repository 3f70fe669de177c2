"""Whether a step needs to run: look at the last run and at the cache, and say why.

Content keys: the hash of the node itself (type, version, code, environment),
of each input value, of the user where the policy is "private", and of the scope of the cache. A value
that is not plain JSON has no stable hash; a step that takes one is not served
from a cache, but is known again within a process by identity.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from .cache import CachedOutputs, OutputCache
from .core import RunState
from .encoding import Encodings
from .handles import any_handles, gone_of
from .memory import COMMON, Fingerprint, Held, Remembered, RunMemory, mark_of
from .program import MODE_FULL, UNSET
from .requirements import in_packages, packages_in
from .step import Step
from .streams import Stream
from .transform import Shaped
from .values import digest

STOOD = ""
"""In the place of a port, in the fingerprint of a step that was not run."""

logger = logging.getLogger(__name__)


class Finding(msgspec.Struct, gc=False):
    """What is known of a step before it runs.

    ``outputs`` are those it need not run for. ``kept``: it is as the last
    incremental run left it, and nothing is to be said about it.
    """

    why: str
    fingerprint: Fingerprint = ()
    key: str | None = None
    outputs: dict[str, Any] | None = None
    kept: Remembered | None = None


def stood(why: str) -> Finding:
    """Return what is known of a step that something stands for: no real inputs are like these."""
    return Finding(why, ((STOOD, why),))


class Recall:
    """Looks steps up for one run, and remembers how they end."""

    def __init__(
        self,
        state: RunState,
        cache: OutputCache | None,
        memory: RunMemory | None,
        user: str | None,
        incremental: bool,
    ) -> None:
        self._state = state
        self._steps = state.plan.steps
        self._cache = cache
        self._scope = "" if cache is None else cache.scope
        self._memory = RunMemory() if memory is None else memory
        self._remembers = memory is not None
        self._user = user
        self._incremental = incremental and memory is not None
        self._hashes: list[Any] = (  # in live mode, which is incremental, people type into a run
            [None] * len(state.values) if incremental else state.plan.typed_marks.copy()
        )
        self.kept: frozenset[int] = frozenset()
        """The steps that an incremental run does not look at."""
        self.encodings = Encodings()
        """Where the hashes of large values may be known already."""

    def begin(self) -> None:
        """Find what the run has to look at, in one pass along the wires, and keep the rest as it is."""
        if self._remembers:  # before any node can change a value that is part of them
            _ = self._state.plan.shapes
        known = self._memory.nodes
        if not known and not self._incremental:
            return
        now = time.monotonic()
        held = self._memory.holds
        roots = []
        for step in self._steps:
            old = known.get(step.id)
            if (
                old is None
                or old.stale
                or old.shape != self._state.plan.shapes[step.index]
                or _expired(step, old, now)
                or (held and lost(old) is not None)
            ):
                roots.append(step.index)
        for id in known.keys() - self._state.plan.index.keys():
            if id in self._state.plan.outside:
                known[id].stale = True  # what it needs may come out otherwise now
            else:
                del known[id]
        if self._incremental:
            affected = self._affected(roots)
            self._keep_others(affected)
            self.kept = frozenset(range(len(self._steps))) - affected
        else:
            affected = set(range(len(self._steps)))
        for index in affected:
            if (old := known.get(self._steps[index].id)) is not None:
                old.stale = True

    def _affected(self, roots: list[int]) -> set[int]:
        affected = set(roots)
        for index in roots:  # grows as it goes
            for successor in self._state.program.successors[index]:
                if successor not in affected:
                    affected.add(successor)
                    roots.append(successor)
        return affected

    def _keep_others(self, affected: set[int]) -> None:
        state = self._state
        pending = [0] * len(state.pending)
        for index in affected:
            for successor in state.program.successors[index]:
                pending[successor] += 1
        known, values, hashes = self._memory.nodes, state.values, self._hashes
        for index, ports in enumerate(state.program.outputs):
            if index in affected:
                continue
            step = self._steps[index]
            old = known[step.id]
            if (
                len(ports) == len(old.outputs) == 1
            ):  # the commonest, in place: most of a spell is kept at each change
                port, slot = ports[0]
                values[slot], hashes[slot] = old.outputs[port], old.hashes[port]
            else:
                self._restore(step, old)
        state.pending[:] = pending
        state.ready.clear()
        state.ready.extend(sorted(index for index in affected if not pending[index]))

    def _restore(self, step: Step, old: Remembered) -> None:
        """Put a kept step into the state as it last ended."""
        self._remember_hashes(step, old.hashes)
        if old.failure is not None:
            self._state.fail(step.index, old.failure)
        elif old.skipped is not None:
            self._state.skip(step.index, old.skipped)
        else:
            self._state.finish(step.index, old.outputs)

    def _remember_hashes(self, step: Step, hashes: dict[str, Any]) -> None:
        for port, slot in self._state.program.outputs[step.index]:
            self._hashes[slot] = hashes.get(port)

    # Looking up

    async def look_up(self, indexes: Sequence[int]) -> list[Finding]:
        """Return what is known of steps that are ready, asking the cache once for all of them."""
        findings = [self._find(self._steps[index]) for index in indexes]
        if self._cache is not None:
            keys = [
                finding.key
                for finding in findings
                if finding.outputs is None and finding.key is not None
            ]
            found = await self._ask(keys) if keys else {}
            for finding in findings if found else ():
                hit = found.get(finding.key or "")
                if hit is not None and finding.kept is None and finding.outputs is None:
                    finding.outputs = hit.outputs
                    finding.why = "cached"
        return findings

    async def _ask(self, keys: list[str]) -> dict[str, CachedOutputs]:
        assert self._cache is not None
        try:
            return await self._cache.get_many(keys)
        except Exception:  # an edge: a cache that fails makes a run slower, not wrong
            logger.warning("the output cache could not be read", exc_info=True)
            return {}

    def _find(self, step: Step) -> Finding:
        fingerprint = self._fingerprint(step.index)
        old = self._memory.nodes.get(step.id)
        if old is None:
            return Finding(step.first_why, fingerprint, self._key(step, fingerprint))
        same = old.local == step.local and old.inputs == fingerprint
        fresh = not _expired(step, old, time.monotonic())
        gone = lost(old) if self._memory.holds else None
        if gone is not None and same:
            return Finding(gone, fingerprint)
        if self._incremental and same and fresh:
            return Finding("cached", fingerprint, kept=old)
        key = self._key(step, fingerprint)
        if same and fresh and _may_keep(step, old) and old.failure is None and old.skipped is None:
            return Finding("cached", fingerprint, key, outputs=old.outputs)
        packages = packages_of(step, self._state.plan.environment)
        return Finding(_why(step, old, fingerprint, fresh, packages), fingerprint, key)

    def forget(self, index: int) -> None:
        """Take it that the outputs of a step are about to be others."""
        for _, slot in self._state.program.outputs[index]:
            self._hashes[slot] = None

    def forget_constant(self, slot: int) -> None:
        """Take it that a value typed in is another."""
        self._hashes[slot] = None

    def adopt(self, step: Step, old: Remembered) -> None:
        """Take over what is known of the outputs of a step that is as it last ended."""
        self._remember_hashes(step, old.hashes)

    def expired(self, index: int) -> bool:
        """Say whether what a step last gave is too old."""
        step = self._steps[index]
        old = self._memory.nodes.get(step.id)
        return old is not None and _expired(step, old, time.monotonic())

    def known(self, index: int, why: str) -> Finding:
        """Return what is known of a step that runs whatever its inputs are."""
        return Finding(why, self._fingerprint(index))

    def renew(self, index: int, old: Remembered) -> None:
        """Take it that a step stays as it last ended, though its inputs were looked at anew."""
        step = self._steps[index]
        old.stale = False
        old.shape = self._state.plan.shapes[index]
        self._remember_hashes(step, old.hashes)

    def _fingerprint(self, index: int) -> Fingerprint:
        hashes = self._hashes
        return tuple(
            [
                (port, hashes[source] or self._hash(source))
                if type(source) is int
                else (
                    port,
                    tuple(map(self._hash_of, source))
                    if isinstance(source, tuple)
                    else self._hash_of(source),
                )
                for port, source in self._state.program.gathers[index]
            ]
        )

    def _hash_of(self, source: int | Shaped) -> Any:
        """Return what an input's source is known by: equal transforms of equal content are equal content."""
        if isinstance(source, int):
            return self._hash(source)
        return (self._hash(source.slot), source.signature)

    def _hash(self, slot: int) -> Any:
        known = self._hashes[slot]
        if known is None:
            value = self._state.values[slot]
            if self._state.raw:
                value = self._state.raw.get(slot, value)
            if isinstance(value, Stream):  # not the output itself, which is still to come
                return Held(value)
            known = self._hashes[slot] = self._hash_value(value)
        return known

    def _hash_value(self, value: Any) -> Any:
        if type(value) in COMMON:
            return mark_of(value)
        encoded = self.encodings.of(value)
        if encoded is not None:
            return encoded.hash if encoded.plain else Held(value)
        return Held(value) if value is UNSET else mark_of(value)

    def _key(self, step: Step, fingerprint: Fingerprint) -> str | None:
        if step.cache == "none" or self._cache is None:
            return None
        user = (self._user or "") if step.cache == "private" else None
        try:
            return digest(step.local, fingerprint, user, self._scope)
        except TypeError:  # a Held: the value has no stable hash
            return None

    # Remembering

    def done(
        self,
        index: int,
        finding: Finding,
        ran: bool,
        fleeting: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Remember the outputs that the state now holds for a step; offer them to the cache when it ran.

        ``fleeting``: it called a node whose outputs may not be kept. ``seconds`` as ``CachedOutputs`` has it.
        """
        step, ports = self._steps[index], self._state.program.outputs[index]
        in_full = self._state.usual[index] >= MODE_FULL
        if ran and in_full and self._reads_streams(index):  # what they were is known now
            finding.fingerprint = self._fingerprint(index)
            finding.key = self._key(step, finding.fingerprint)
        values = self._state.values
        outputs, hashes = {}, {}
        plain = True
        for port, slot in ports:
            value = values[slot]
            if value is not UNSET:
                outputs[port] = value
                hashes[port] = known = self._hash(slot)
                plain = plain and type(known) is str
        if self._remembers:
            at = self._age(step, finding, ran)
            self._remember(step, finding, outputs, hashes, at).fleeting = fleeting
        if not (ran and plain) or fleeting or finding.key is None or self._cache is None:
            return
        skipped = tuple([port for port, _ in ports if port not in outputs])
        self._cache.put(finding.key, CachedOutputs(outputs, skipped, seconds), step.cache, step.ttl)

    def _age(self, step: Step, finding: Finding, ran: bool) -> float:
        """Return when the outputs of a step came to be, in monotonic seconds."""
        now = time.monotonic()
        if ran or step.ttl is None:
            return now
        old = self._memory.nodes.get(step.id)  # what served them decides again next time
        return old.at if old is not None and finding.outputs is old.outputs else now - step.ttl

    def _reads_streams(self, index: int) -> bool:
        """Say whether a step may take inputs while they come; none does that is not called in full."""
        return any(port.stream for port in self._steps[index].ports.inputs)

    def stood(self, index: int, why: str) -> None:
        """Remember the outputs that stand for those of a step that was not run."""
        self.done(index, stood(why), ran=False)

    def past(self, index: int) -> None:
        """Remember a step that had ended before the run, as the state now says."""
        step = self._steps[index]
        finding = (
            stood(step.stand) if step.stand is not None else Finding("", self._fingerprint(index))
        )
        if index in self._state.failures or index in self._state.skipped:
            self.ended(index, finding)
        else:
            self.done(index, finding, ran=False)

    def ended(self, index: int, finding: Finding | None) -> None:
        """Remember that a step failed or was skipped, as the state now says."""
        step = self._steps[index]
        failure, skipped = self._state.failures.get(index), self._state.skipped.get(index)
        finding = finding or Finding("new", self._fingerprint(index))
        remembered = self._remember(step, finding, {}, {}, time.monotonic())
        remembered.failure, remembered.skipped = failure, skipped

    def _remember(
        self,
        step: Step,
        finding: Finding,
        outputs: dict[str, Any],
        hashes: dict[str, Any],
        at: float,
    ) -> Remembered:
        self._memory.holds = self._memory.holds or any_handles()
        remembered = self._memory.nodes[step.id] = Remembered(
            step.local,
            self._state.plan.shapes[step.index],
            finding.fingerprint,
            outputs,
            hashes,
            at,
            code=step.node.code,
            packages=packages_of(step, self._state.plan.environment),
        )
        return remembered

    def keep(self, index: int, old: Remembered) -> None:
        """Take a step that is ready as it last ended, without running it."""
        step = self._steps[index]
        old.stale = False
        old.shape = self._state.plan.shapes[index]
        self._restore(step, old)


def lost(old: Remembered) -> str | None:
    """Return why an output that stayed in a worker is there no more, or None where all are."""
    return gone_of(
        {port: old.outputs[port] for port, known in old.hashes.items() if isinstance(known, Held)}
    )


def _may_keep(step: Step, old: Remembered) -> bool:
    return step.cache != "none" and not old.fleeting


def _expired(step: Step, old: Remembered, now: float) -> bool:
    return step.ttl is not None and old.at + step.ttl <= now


def packages_of(step: Step, environment: str) -> str:
    """Return what a step stands on of packages: those where it is called, and that which brings its type."""
    pin = step.type.pin or ""
    if environment and (step.body is not None or in_packages(step.type)):
        return f"{packages_in(environment)} {pin}"
    return pin


def change_of(code: str | None, packages: str, step: Step, now: str) -> str:
    """Say what of a node itself is another, of which these were the code and the packages."""
    same = code == step.node.code and packages != now
    return "packages changed" if same else "code changed"


def _why(step: Step, old: Remembered, fingerprint: Fingerprint, fresh: bool, packages: str) -> str:
    if not old.local:  # known by its outputs alone
        return "new"
    if old.local != step.local:
        return change_of(old.code, old.packages, step, packages)
    before = dict(old.inputs)
    if STOOD in before:
        return "new"
    for port, known in fingerprint:
        if port not in before or before[port] != known:
            return f"input changed ({port})"
    if len(before) > len(fingerprint):
        gone = next(port for port in before if port not in dict(fingerprint))
        return f"input changed ({gone})"
    if old.failure is not None or old.skipped is not None:
        return "new"
    return "not cacheable" if not _may_keep(step, old) else "expired" if not fresh else "new"
