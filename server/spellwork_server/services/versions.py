"""Versions of canvases: the timeline, what was drawn, what differs, names, and the way back."""

from __future__ import annotations

import asyncio
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from spellwork.difference import Change, FieldChange
from spellwork.spell import Spell
from spellwork_server.history.body import Drawing, compare, unpack
from spellwork_server.history.keeper import VersionKeeper
from spellwork_server.identity import Actor, require
from spellwork_server.rooms import Rooms
from spellwork_server.runs.streams import Access
from spellwork_server.storage.versions import VersionRecords

from .registry import Registry
from .service import Call, Request, Service, View, operation
from .version_views import (
    CanvasVersions,
    Compared,
    VersionView,
    VersionViews,
    WholeVersion,
)

Id = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ListVersions(Request):
    """Which versions of a canvas to list."""

    canvas: Id
    limit: int = Field(default=50, ge=1, le=200)
    before: int | None = Field(
        default=None,
        ge=1,
        le=2**53 - 1,
        description="Only versions with a lower number: the next page.",
    )
    named: bool = Field(default=False, description="Only those that have a name.")


class OneVersion(Request):
    """The version meant."""

    canvas: Id
    id: Id


class SaveVersion(Request):
    """What to call the canvas as it is now."""

    canvas: Id
    name: Name


class ChangeVersion(OneVersion):
    """A version's name from now on; None takes it away."""

    name: Name | None


class CompareVersion(OneVersion):
    """What to compare a version with."""

    other: Id | None = Field(
        default=None, description="Another version; the canvas as it is now when left out."
    )


class VersionList(View):
    """Versions, newest first."""

    items: list[VersionView]
    more: bool = Field(description="Whether there are older ones.")


class Restored(View):
    """The versions from before and after a restore; one and the same where nothing differed."""

    before: VersionView
    after: VersionView


class VersionService(Service):
    """Versions of canvases: who may see a canvas may see them, who may edit it may save and restore."""

    name: ClassVar[str] = "versions"

    def __init__(
        self,
        keeper: VersionKeeper,
        records: VersionRecords,
        views: VersionViews,
        rooms: Rooms,
        access: Access,
    ) -> None:
        self._keeper = keeper
        self._records = records
        self._views = views
        self._rooms = rooms
        self._access = access

    @operation(summary="List versions of a canvas", rest=("GET", "/v1/canvases/{canvas}/versions"))
    async def find(self, call: Call, request: ListVersions) -> VersionList:
        """List versions, newest first, a page at a time."""
        await self._reader(call, request.canvas)
        found = await self._records.find(
            request.canvas, limit=request.limit + 1, before=request.before, named=request.named
        )
        more = len(found) > request.limit
        return VersionList(items=await self._views.of(found[: request.limit]), more=more)

    @operation(summary="Look at a version", rest=("GET", "/v1/canvases/{canvas}/versions/{id}"))
    async def get(self, call: Call, request: OneVersion) -> WholeVersion:
        """Answer a version with its spell."""
        await self._reader(call, request.canvas)
        view = await self._views.one(await self._records.get(request.canvas, request.id))
        body = await self._records.body(request.canvas, request.id)
        spell = await asyncio.to_thread(unpack, body)
        return WholeVersion.model_construct(**dict(view), spell=spell)

    @operation(
        summary="Save a version of a canvas",
        rest=("POST", "/v1/canvases/{canvas}/versions"),
        status=201,
        errors=("too_many_versions", "store_unavailable"),
    )
    async def create(self, call: Call, request: SaveVersion) -> VersionView:
        """Give the canvas as it is now a name."""
        actor = await self._editor(call, request.canvas)
        async with self._rooms.visit(request.canvas) as room:
            return await self._views.one(await self._keeper.save(room, actor, request.name))

    @operation(
        summary="Name a version",
        rest=("PATCH", "/v1/canvases/{canvas}/versions/{id}"),
        errors=("too_many_versions",),
    )
    async def patch(self, call: Call, request: ChangeVersion) -> VersionView:
        """Give a version another name, or take it away; without one it goes when it is old."""
        await self._editor(call, request.canvas)
        record = await self._keeper.rename(request.canvas, request.id, request.name)
        return await self._views.one(record)

    @operation(
        summary="Compare a version with another, or with the canvas as it is now",
        rest=("GET", "/v1/canvases/{canvas}/versions/{id}/difference"),
    )
    async def compare(self, call: Call, request: CompareVersion) -> Compared:
        """Answer what must change to get from the version to the other."""
        await self._reader(call, request.canvas)
        body = await self._records.body(request.canvas, request.id)
        if request.other is not None:
            record = await self._records.get(request.canvas, request.other)
            other: bytes | Spell = await self._records.body(request.canvas, request.other)
            seq = record.seq
        else:
            async with self._rooms.visit(request.canvas) as room:
                other, seq = room.spell(), room.seq
        name, changes = await asyncio.to_thread(_compare, body, other)
        return Compared(
            canvas=request.canvas,
            before=request.id,
            after=request.other,
            seq=seq,
            name=name,
            changes=changes,
        )

    @operation(
        summary="Restore a version",
        rest=("POST", "/v1/canvases/{canvas}/versions/{id}/restore"),
        errors=("version_unreadable", "schema_violation", "store_unavailable"),
    )
    async def restore(self, call: Call, request: OneVersion) -> Restored:
        """Draw a version again, by the least edits of the live document; restoring ``before`` undoes it."""
        actor = await self._editor(call, request.canvas)
        record = await self._records.get(request.canvas, request.id)
        async with self._rooms.visit(request.canvas) as room:
            before, after = await self._keeper.restore(room, actor, record)
        shown = await self._views.of([before, after])
        return Restored(before=shown[0], after=shown[1])

    async def _reader(self, call: Call, canvas_id: str) -> Actor:
        return require(call.actor, "canvas.read", await self._access(canvas_id))

    async def _editor(self, call: Call, canvas_id: str) -> Actor:
        return require(call.actor, "canvas.edit", await self._access(canvas_id))


def _compare(body: bytes, other: bytes | Spell) -> tuple[FieldChange | None, list[Change]]:
    before = Drawing.unpack(body)
    after = Drawing.unpack(other) if isinstance(other, bytes) else Drawing.of(other)
    name = None
    if before.name != after.name:
        name = FieldChange(field="name", before=before.name, after=after.name)
    return name, list(compare(before, after))


def announce_versions(registry: Registry) -> None:
    """Put the event of versions into the registry."""
    registry.announce("canvas.versions", CanvasVersions, "A version is new, or was named")
