"""Installs packs into workers, and shows what they bring on the canvases there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import msgspec

from spellwork import Library, NodeError, Pack
from spellwork.errors import PackInvalid
from spellwork.hosting import TARGET
from spellwork.stubs import pack_of
from spellwork.values import digest
from spellwork_server.errors import Conflict, Unavailable
from spellwork_server.storage.packs import PackRecord, PackRecords

from .calling import PackCalls
from .libraries import Brought, CanvasLibraries
from .objects import ObjectConfigs
from .wheels import Wheels
from .workers import EnvironmentFailed, PackSource, PackWorkers, Resolved

logger = logging.getLogger(__name__)

MOST_PACKS = 50
"""Distributions with packs that one worker may have."""

MOST_REASON = 10_000
"""Characters of a reason, and of a traceback, that are kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants installed. ``pins``: the hashes it must be among, None for any."""

    distribution: str
    specifier: str = ""
    file_hash: str | None = None
    file_name: str | None = None
    pins: frozenset[str] | None = None


class Installer:
    """Packs of workers, as an async context manager: entering shows those that were installed before.

    One change of a worker is made at a time; it goes on when whoever asked for it leaves.
    """

    def __init__(
        self,
        records: PackRecords,
        wheels: Wheels,
        libraries: CanvasLibraries,
        calls: PackCalls,
        workers: PackWorkers,
        configs: ObjectConfigs,
    ) -> None:
        self._records = records
        self._wheels = wheels
        self._libraries = libraries
        self._calls = calls
        self._workers = workers
        self._configs = configs
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks = asyncio.TaskGroup()
        self._open = False
        libraries.add_source(lambda canvas: (workers.worker_of(canvas),))

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        by_worker: dict[str, list[PackRecord]] = {}
        await self._records.prune()
        for record in await self._records.all():
            if record.state == "installing":  # a server that was killed
                reason = "the server ended while it was installed; install it again"
                await self._records.change(record.id, state="failed", reason=reason)
                record = replace(record, state="failed", reason=reason)
            by_worker.setdefault(record.worker_id, []).append(record)
        for worker, records in by_worker.items():
            self._configs.read(worker, records)
            self._libraries.bring(worker, self._brought(records))
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for what is being installed: an environment is whole or not there."""
        self._open = False
        await self._tasks.__aexit__(None, None, None)

    async def packs_of(self, worker: str) -> list[PackRecord]:
        """Return a worker's packs."""
        return await self._records.of_worker(worker)

    async def install(self, worker: str, asked: Asked, user: str) -> PackRecord:
        """Install a pack into a worker; answers when it is there, or has failed with its reason in the record."""
        record: PackRecord = await self._apart(self._install(worker, asked, user))
        return record

    async def remove(self, record: PackRecord) -> None:
        """Take a pack out of its worker. Its nodes stay on canvases, as nodes of a type that is not known."""
        await self._apart(self._remove(record))

    async def forget(self, worker: str) -> None:
        """Let go of a worker that is no more, and of its packs."""
        for record in await self._records.of_worker(worker):
            await self._records.remove(record.id)
        self._configs.read(worker, ())
        self._libraries.bring(worker, Brought())

    async def configure(self, record: PackRecord, named: str, given: dict[str, Any]) -> PackRecord:
        """Give an object, by PACK.OBJECT, another configuration, which keeps the secrets that it leaves out.

        Raises BadRequest ``config_invalid`` naming the fields, and NodeError where the worker fails.
        """
        fresh: PackRecord = await self._apart(self._configure(record, named, given))
        return fresh

    async def export_state(self, record: PackRecord, named: str) -> Any:
        """Return an object's state, as it gives it. Raises NodeError."""
        config = self._configs.of(record.worker_id, named)
        return await self._calls.ask(record.worker_id, named, "export", config)

    async def import_state(self, record: PackRecord, named: str, state: Any) -> None:
        """Let an object take over a state. Raises NodeError."""
        config = self._configs.of(record.worker_id, named)
        await self._calls.ask(record.worker_id, named, "import", config, state)

    async def _configure(self, record: PackRecord, named: str, given: dict[str, Any]) -> PackRecord:
        async with self._turn(record.worker_id):
            config = self._configs.of(record.worker_id, named)
            answer = await self._calls.ask(record.worker_id, named, "check", config, given)
            record = await self._records.get(record.id) or record
            record = self._configs.changed(record, named, answer)
            await self._records.change(record.id, configs=record.configs, sealed=record.sealed)
            await self._show(record.worker_id)
            return record

    async def _apart(self, work: Any) -> Any:
        if not self._open:
            work.close()
            raise Unavailable("The server is stopping and installs nothing more")
        outcome = await asyncio.shield(self._tasks.create_task(_outcome(work)))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _install(self, worker: str, asked: Asked, user: str) -> PackRecord:
        async with self._turn(worker):
            others = await self._records.of_worker(worker)
            before = [each for each in others if each.distribution == asked.distribution]
            kept = [each for each in others if each.distribution != asked.distribution]
            if len(kept) >= MOST_PACKS:
                raise Conflict(f"A worker has at most {MOST_PACKS} packs", code="too_many_packs")
            record = await self._records.put(
                PackRecord(
                    id="",
                    worker_id=worker,
                    distribution=asked.distribution,
                    specifier=asked.specifier,
                    file_hash=asked.file_hash,
                    file_name=asked.file_name,
                    installed_by=user,
                    configs=before[0].configs if before else {},
                    sealed=before[0].sealed if before else None,
                )
            )
            record = await self._settled(record, kept, asked.pins)
            if record.state == "failed" and record.pin is None and before:
                await self._records.put(before[0])  # the one that was there is there still
                raise Conflict(
                    f"{asked.distribution} cannot be installed: {record.reason}",
                    code="pack_failed",
                    details={"reason": record.reason},
                )
            await self._keep(record)
            await self._show(worker)
            return record

    async def _settled(
        self,
        record: PackRecord,
        kept: Sequence[PackRecord],
        pins: frozenset[str] | None,
    ) -> PackRecord:
        """Return the record as it is once all was tried."""
        sources = [await self._source(each) for each in _installed(kept)]
        wanted = replace(await self._source(record), sha256=pins)
        try:
            locked = await self._workers.set_packs(record.worker_id, [*sources, wanted])
        except EnvironmentFailed as error:
            return replace(record, state="failed", reason=error.reason[:MOST_REASON])
        found: Resolved | None = locked.get(record.distribution)
        if found is None:
            return replace(record, state="failed", reason="the environment was made without it")
        record = replace(record, version=found.version, pin=" ".join(found.sha256))
        return await self._described(record, kept)

    async def _described(self, record: PackRecord, kept: Sequence[PackRecord]) -> PackRecord:
        """Ask the worker what the pack brings, and return the record with that, or with why it brings nothing."""
        try:
            answer = await self._calls.describe(record.worker_id, [record.distribution])
            told, problem = _read(answer)
        except NodeError as error:
            return replace(
                record,
                state="failed",
                reason=f"the worker failed while it imported it: {error.message}"[:MOST_REASON],
                traceback=(getattr(error, "traceback", None) or "")[:MOST_REASON] or None,
            )
        except PackInvalid as error:
            return replace(record, state="failed", reason=error.message[:MOST_REASON])
        if problem is not None:
            return replace(
                record,
                state="failed",
                reason=problem.reason[:MOST_REASON],
                traceback=(problem.traceback or "")[:MOST_REASON] or None,
            )
        record = replace(record, told=told)
        try:
            self._check(record, kept)
        except PackInvalid as error:
            return replace(record, told=[], state="failed", reason=error.message[:MOST_REASON])
        return replace(record, state="ready")

    def _check(self, record: PackRecord, kept: Sequence[PackRecord]) -> None:
        """Raise PackInvalid where what is told is no pack, or has the name of another."""
        library: Library = self._libraries.base
        for each in [*_ready(kept), record]:
            library = library.extended(packs_of(each), {})

    async def _remove(self, record: PackRecord) -> None:
        async with self._turn(record.worker_id):
            others = await self._records.of_worker(record.worker_id)
            kept = [each for each in others if each.id != record.id]
            sources = [await self._source(each) for each in _installed(kept)]
            try:
                await self._workers.set_packs(record.worker_id, sources)
            except EnvironmentFailed as error:
                raise Conflict(
                    f"{record.distribution} cannot be removed: {error.reason[:MOST_REASON]}",
                    code="pack_failed",
                ) from error
            await self._records.remove(record.id)
            await self._show(record.worker_id)
            hashes = await self._records.files()
            await asyncio.to_thread(self._wheels.forget_all_but, hashes)

    async def _keep(self, record: PackRecord) -> None:
        values = ("state", "reason", "traceback", "told", "version", "pin")
        await self._records.change(record.id, **{name: getattr(record, name) for name in values})

    async def _show(self, worker: str) -> None:
        records = await self._records.of_worker(worker)
        self._configs.read(worker, records)
        self._libraries.bring(worker, self._brought(records))
        for canvas in self._workers.canvases_of(worker):
            self._libraries.tell(canvas)

    async def _source(self, record: PackRecord) -> PackSource:
        if record.file_hash is None:
            pin = None if record.pin is None else frozenset(record.pin.split())
            specifier = record.specifier if record.version is None else f"=={record.version}"
            return PackSource(record.distribution, specifier, sha256=pin)
        wheel = await asyncio.to_thread(self._wheels.find, record.file_hash)
        pin = frozenset((record.file_hash,))
        return PackSource(record.distribution, file=wheel.path, sha256=pin)

    def _brought(self, records: Sequence[PackRecord]) -> Brought:
        packs: list[Pack] = []
        problems: dict[str, str] = {}
        for record in records:
            if record.state == "failed":
                problems[record.distribution] = record.reason or "it cannot be used"
            elif record.state == "ready":
                try:
                    packs.extend(packs_of(record))
                except PackInvalid as error:  # told to an older server, with other rules
                    problems[record.distribution] = error.message
        return Brought(tuple(packs), problems)

    def _turn(self, worker: str) -> asyncio.Lock:
        return self._turns.setdefault(worker, asyncio.Lock())


def packs_of(record: PackRecord) -> list[Pack]:
    """Return the packs of a record, made of stubs; raises PackInvalid."""
    pin = record.pin or ""
    if record.configs:  # what its objects are configured to do is part of what their nodes are
        pin = digest(pin, record.configs)
    return [pack_of(told, target=TARGET, pin=pin)[0] for told in record.told]


def left_out(record: PackRecord) -> dict[str, str]:
    """Return why some node types of a record's packs are not in the library, by type."""
    found: dict[str, str] = {}
    for told in record.told:
        found |= told.get("left_out", {})
    return found


def _ready(records: Sequence[PackRecord]) -> list[PackRecord]:
    return [each for each in records if each.state == "ready"]


def _installed(records: Sequence[PackRecord]) -> list[PackRecord]:
    """Return those that are in the environment: one that could not be locked is not, one that is broken is."""
    return [each for each in records if each.pin is not None]


class _Problem(msgspec.Struct, frozen=True):
    reason: str
    traceback: str | None = None


class _Description(msgspec.Struct, frozen=True):
    """What ``hosting.describe`` answers; it is foreign."""

    packs: list[dict[str, Any]]
    problems: list[_Problem]


def _read(answer: Any) -> tuple[list[dict[str, Any]], _Problem | None]:
    """Return the packs of a description, and its first problem; raises PackInvalid where it is none."""
    try:
        description = msgspec.convert(answer, _Description)
    except msgspec.ValidationError as error:
        raise PackInvalid(f"what it says of itself is no description of packs: {error}") from error
    if description.problems:
        return [], description.problems[0]
    told = [
        {key: value for key, value in each.items() if key != "distribution"}
        for each in description.packs
    ]
    for each in told:
        pack_of(each, target=TARGET)
    if not told:
        raise PackInvalid("it brings no pack")
    return told, None


async def _outcome(work: Awaitable[Any]) -> Any:
    """Return what the work gives or raises: what one request is refused is not the end of the group."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - raised again where it was asked for
        return error
