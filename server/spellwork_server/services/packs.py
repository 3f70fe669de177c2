"""Packs that are installed into workers while the server runs."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from spellwork import NodeError
from spellwork_server.errors import BadGateway, BadRequest, NotFound
from spellwork_server.identity import Actor, CanvasAccess, allowed, require
from spellwork_server.packs.allowed import AllowedPacks, normal
from spellwork_server.packs.installer import Asked, Installer, left_out
from spellwork_server.packs.wheels import Wheels, distribution_of
from spellwork_server.storage.packs import PackRecord, PackRecords

from .pack_models import (
    InstalledPack,
    InstalledPacks,
    ObjectConfig,
    ObjectExport,
    ObjectImport,
    ObjectOfPack,
    PackId,
    PackObject,
    PackOf,
    PacksOf,
    PackToInstall,
    PackToUpload,
    UploadedPack,
)
from .service import Call, Done, Service, operation


class Workers(Protocol):
    """The part of the workers that this service needs."""

    def worker_of(self, canvas: str) -> str:
        """Return the worker of a canvas."""

    def canvas_of(self, worker: str) -> str | None:
        """Return the canvas whose own worker this is; None of a shared one. Raises NotFound where there is none."""


class PackService(Service):
    """Packs of workers. Nothing of them is ever imported here."""

    name = "packs"

    def __init__(
        self,
        installer: Installer,
        records: PackRecords,
        wheels: Wheels,
        rules: AllowedPacks,
        access: Callable[[str], Awaitable[CanvasAccess]],
        workers: Workers,
    ) -> None:
        self._installer = installer
        self._records = records
        self._wheels = wheels
        self._rules = rules
        self._access = access
        self._workers = workers

    @operation(summary="List a worker's packs", rest=("GET", "/v1/packs"))
    async def find(self, call: Call, request: PacksOf) -> InstalledPacks:
        """List the packs of a canvas's worker; of a worker by its id, for administrators."""
        if request.canvas is not None:
            require(call.actor, "canvas.read", await self._access(request.canvas))
            worker = self._workers.worker_of(request.canvas)
        else:
            worker = await self._place(call, request)
        whole = await self._may_change(call.actor, worker)
        found = await self._records.of_worker(worker)
        return InstalledPacks(worker=worker, items=[_view(each, whole=whole) for each in found])

    @operation(
        summary="Install a pack",
        rest=("POST", "/v1/packs"),
        status=201,
        errors=("pack_not_allowed", "pack_failed", "too_many_packs"),
        cost=20,
    )
    async def install(self, call: Call, request: PackToInstall) -> InstalledPack:
        """Install a pack into a canvas's worker, and show what it brings there.

        For those who edit the canvas, where the operator allows the pack; a shared
        worker is for administrators. A pack that cannot be used answers with state
        ``failed`` and its reason, and stays listed until it is removed.
        """
        worker = await self._place(call, request)
        actor = require(call.actor, "nodes.read")
        asked = await self._asked(actor, request)
        return _view(await self._installer.install(worker, asked, actor.user_id), whole=True)

    @operation(
        summary="Upload a pack",
        rest=("POST", "/v1/packs/files"),
        status=201,
        errors=("pack_not_allowed", "too_large"),
        cost=20,
    )
    async def upload(self, call: Call, request: PackToUpload) -> UploadedPack:
        """Keep a wheel, to be installed by its hash. Nothing of it is unpacked or run here."""
        await self._place(call, request)
        actor = require(call.actor, "nodes.read")
        self._rules.check(actor, distribution_of(request.name), None)
        try:
            data = base64.b64decode(request.data, validate=True)
        except binascii.Error as error:
            raise BadRequest.field("data", "is not base64") from error
        wheel = await asyncio.to_thread(self._wheels.look_at, request.name, data)
        self._rules.check(actor, wheel.distribution, wheel.sha256)
        await asyncio.to_thread(self._wheels.keep, wheel, data)
        return UploadedPack(
            file=wheel.sha256,
            name=wheel.file_name,
            distribution=wheel.distribution,
            version=wheel.version,
            size=wheel.size,
        )

    @operation(
        summary="Remove a pack", rest=("DELETE", "/v1/packs/{id}"), errors=("pack_failed",), cost=20
    )
    async def remove(self, call: Call, request: PackId) -> Done:
        """Take a pack out of its worker. Its nodes stay on canvases, and run again once it is back."""
        await self._installer.remove(await self._mine(call, request.id))
        return Done()

    @operation(
        summary="Configure an object of a pack",
        rest=("PUT", "/v1/packs/{id}/objects/{object}/config"),
        errors=("config_invalid",),
        cost=5,
    )
    async def configure(self, call: Call, request: ObjectConfig) -> InstalledPack:
        """Give an object of a pack another configuration, from its next call on."""
        record = await self._object(call, request)
        with _told():
            record = await self._installer.configure(record, request.object, request.config)
        return _view(record, whole=True)

    @operation(
        summary="Export an object of a pack",
        rest=("GET", "/v1/packs/{id}/objects/{object}/export"),
        cost=5,
    )
    async def export(self, call: Call, request: ObjectOfPack) -> ObjectExport:
        """Answer an object's configuration and state. No secret is in it: it names those to be given anew."""
        record = await self._object(call, request)
        with _told():
            state = await self._installer.export_state(record, request.object)
        shown = next(each for each in _objects(record, whole=True) if each.name == request.object)
        return ObjectExport(
            object=request.object,
            config=shown.config or {},
            secrets=shown.secrets or [],
            state=state,
        )

    @operation(
        summary="Import into an object of a pack",
        rest=("POST", "/v1/packs/{id}/objects/{object}/import"),
        name="packs.import",
        errors=("config_invalid",),
        cost=5,
    )
    async def take_over(self, call: Call, request: ObjectImport) -> InstalledPack:
        """Give an object the configuration and state that another one exported."""
        record = await self._object(call, request)
        with _told():
            record = await self._installer.configure(record, request.object, request.config)
            if request.state is not None:
                await self._installer.import_state(record, request.object, request.state)
        return _view(record, whole=True)

    async def _mine(self, call: Call, id: str) -> PackRecord:
        """Return an installed pack for whoever may change it; to others it does not exist."""
        record = await self._records.get(id)
        if record is None or not await self._may_change(call.actor, record.worker_id):
            require(call.actor, "nodes.read")
            raise NotFound(f"There is no pack {id}", details={"pack": id})
        return record

    async def _object(self, call: Call, request: ObjectOfPack) -> PackRecord:
        record = await self._mine(call, request.id)
        if all(each.name != request.object for each in _objects(record, whole=False)):
            raise NotFound(f"The pack has no object {request.object!r}")
        return record

    async def _place(self, call: Call, request: PacksOf) -> str:
        """Return the worker to change, for whoever may change it."""
        if request.canvas is None:
            assert request.worker is not None
            require(call.actor, "packs.manage")
            return request.worker
        access = await self._access(request.canvas)
        require(call.actor, "packs.install", access)
        worker = self._workers.worker_of(request.canvas)
        if self._workers.canvas_of(worker) is None:
            require(call.actor, "packs.manage")
        return worker

    async def _may_change(self, actor: Actor | None, worker: str) -> bool:
        if allowed(actor, "packs.manage"):
            return True
        canvas = self._workers.canvas_of(worker)
        return canvas is not None and allowed(actor, "packs.install", await self._access(canvas))

    async def _asked(self, actor: Actor, request: PackToInstall) -> Asked:
        """Return what is to be installed; raises Forbidden where the operator does not allow it."""
        named = None if request.sha256 is None else frozenset((request.sha256,))
        if request.file is None:
            name = normal(request.distribution or "")
            pins = self._rules.check(actor, name, request.sha256)
            return Asked(name, request.specifier, pins=named or pins)
        wheel = await asyncio.to_thread(self._wheels.find, request.file)
        self._rules.check(actor, wheel.distribution, wheel.sha256)
        if named is not None and wheel.sha256 not in named:
            raise BadRequest.field("sha256", "is not the hash of the file")
        return Asked(wheel.distribution, file_hash=wheel.sha256, file_name=wheel.file_name)


@contextmanager
def _told() -> Iterator[None]:
    """Tell what a worker fails at as what a server behind this one does."""
    try:
        yield
    except NodeError as error:
        raise BadGateway(error.message, code=error.code) from error


def _objects(record: PackRecord, *, whole: bool) -> list[PackObject]:
    found: list[PackObject] = []
    for told in record.told:
        for each in told.get("objects", ()):
            name = f"{told['name']}.{each['name']}"
            kept = record.configs.get(name, each)
            shown = {"config": kept["config"], "secrets": list(kept["secrets"])} if whole else {}
            schema = each["schema"] if whole else None
            found.append(PackObject(name=name, title=each["title"], config_schema=schema, **shown))
    return found


def _view(record: PackRecord, *, whole: bool) -> InstalledPack:
    return InstalledPack(
        id=record.id,
        worker=record.worker_id,
        distribution=record.distribution,
        specifier=record.specifier,
        file=record.file_hash,
        file_name=record.file_name,
        version=record.version,
        sha256=(record.pin or "").split(),
        state=record.state,
        reason=record.reason,
        traceback=record.traceback,
        packs=[
            PackOf(
                name=told["name"],
                title=told["title"],
                version=told["version"],
                nodes=len(told["nodes"]),
            )
            for told in record.told
        ],
        objects=_objects(record, whole=whole),
        left_out=left_out(record),
        installed_by=record.installed_by,
        created_at=record.created_at,
    )
