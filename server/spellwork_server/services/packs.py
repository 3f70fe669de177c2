"""Packs that are installed into workers while the server runs."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Protocol

from spellwork_server.errors import BadRequest, NotFound
from spellwork_server.identity import Actor, CanvasAccess, allowed, require
from spellwork_server.packs.allowed import AllowedPacks, normal
from spellwork_server.packs.installer import Asked, Installer, left_out
from spellwork_server.packs.wheels import Wheels
from spellwork_server.storage.packs import PackRecord, PackRecords

from .pack_models import (
    InstalledPack,
    InstalledPacks,
    PackId,
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
        return InstalledPacks(
            worker=worker, items=[_view(each) for each in await self._records.of_worker(worker)]
        )

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
        return _view(await self._installer.install(worker, asked, actor.user_id))

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
        record = await self._records.get(request.id)
        if record is None or not await self._may_change(call.actor, record.worker_id):
            require(call.actor, "nodes.read")
            raise NotFound(f"There is no pack {request.id}", details={"pack": request.id})
        await self._installer.remove(record)
        return Done()

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


def _view(record: PackRecord) -> InstalledPack:
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
        left_out=left_out(record),
        installed_by=record.installed_by,
        created_at=record.created_at,
    )
