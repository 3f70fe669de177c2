"""Canvases, who may see them, and the spell drawn on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from pydantic import ConfigDict, Field, JsonValue, RootModel, model_validator

from spellwork.formats import Form
from spellwork.spell import Spell
from spellwork_server.errors import BadRequest, Conflict, NotFound
from spellwork_server.identity import Actor, require
from spellwork_server.storage.canvases import CanvasRecord, CanvasRecords, Member
from spellwork_server.storage.users import UserRecords

from .service import Call, Document, Done, Nothing, Request, Service, View, operation
from .spell_forms import SpellForms
from .spell_patch import SpellPatch, patched
from .users import Email

CanvasRole = Literal["viewer", "runner", "editor", "owner"]


class OpenRoom(Protocol):
    """The part of ``rooms.Room`` that this service needs."""

    def spell(self) -> Spell:
        """Return what is drawn."""

    async def rename(self, actor: Actor | None, name: str) -> int:
        """Name the spell, and touch nothing else; return when durable."""

    async def replace_spell(self, actor: Actor | None, spell: Spell) -> int:
        """Draw ``spell`` instead, by the least edits of the live document; return when durable."""

    async def change_spell(self, actor: Actor | None, change: Callable[[Spell], Spell]) -> int:
        """Draw what ``change`` makes of the spell as it is at that moment; return when durable."""


class Rooms(Protocol):
    """The part of ``rooms.Rooms`` that this service needs."""

    def visit(self, canvas_id: str) -> AbstractAsyncContextManager[OpenRoom]:
        """Open a canvas's room for the time of the block."""


class Chooses(Protocol):
    """The part of ``workers.Workers`` that this service needs."""

    async def choose(self, canvas: str, worker: str | None, actor: Actor) -> None:
        """Put a canvas on a shared worker, or on its own (None); raises NotFound."""


class CanvasView(View):
    """A canvas, and what the caller is on it."""

    id: str
    name: str
    owner_id: str
    role: CanvasRole
    epoch: str
    created_at: float
    updated_at: float


class CanvasList(View):
    """Canvases, the latest edited first."""

    items: list[CanvasView]


class NewCanvas(Request):
    """A canvas to make, empty or with a spell on it. Its name is the spell's, unless given."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    spell: Spell | None = None


class CanvasId(Request):
    """The canvas meant."""

    id: str = Field(min_length=1, max_length=64)


class SpellAs(CanvasId):
    """The canvas meant, and the form in which to get what is drawn on it."""

    form: Form | None = Field(default=None, alias="as")


class ChangeCanvas(CanvasId):
    """What to change of a canvas; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    worker: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The worker that its code runs in; null is the canvas's own.",
    )


class ReplaceSpell(CanvasId):
    """A canvas and the spell to draw on it: the spell's own fields, or ``{spell}``."""

    spell: Spell

    @model_validator(mode="before")
    @classmethod
    def _take_bare_spell(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "spell" in value:
            return value
        spell = {key: each for key, each in value.items() if key != "id"}
        return {key: value[key] for key in ("id",) if key in value} | {"spell": spell}


class PatchSpell(CanvasId, SpellPatch):
    """A canvas, and what to change of the spell on it."""


class SpellView(RootModel[dict[str, JsonValue]]):
    """A spell as JSON, its defaults left out."""

    model_config = ConfigDict(frozen=True)


class MemberView(View):
    """Somebody's role on a canvas."""

    user_id: str
    email: str
    name: str
    role: CanvasRole


class MemberList(View):
    """Who has a role on a canvas, by email address."""

    items: list[MemberView]


class PutMember(CanvasId):
    """Who gets which role."""

    email: Email
    role: CanvasRole


class RemoveMember(CanvasId):
    """Whose role is taken away."""

    email: Email


class CanvasService(Service):
    """Canvases and their members."""

    name = "canvases"

    def __init__(
        self,
        records: CanvasRecords,
        users: UserRecords,
        rooms: Rooms,
        forms: SpellForms,
        workers: Chooses,
    ) -> None:
        self._workers = workers
        self._forms = forms
        self._records = records
        self._users = users
        self._rooms = rooms

    @operation(summary="List the canvases that I may see", rest=("GET", "/v1/canvases"))
    async def find(self, call: Call, _request: Nothing) -> CanvasList:
        """List one's canvases, and those shared with one; administrators see all."""
        actor = require(call.actor, "canvas.create")
        seen = await self._records.seen_by(None if actor.is_admin else actor.user_id)
        return CanvasList(items=[_view(record, role or "owner") for record, role in seen])

    @operation(summary="Make a canvas", rest=("POST", "/v1/canvases"), status=201)
    async def create(self, call: Call, request: NewCanvas) -> CanvasView:
        """Make a canvas of one's own, empty or with a spell on it."""
        actor = require(call.actor, "canvas.create")
        record = await create_canvas(self._records, self._rooms, actor, request.name, request.spell)
        return _view(record, "owner")

    @operation(summary="Look at a canvas", rest=("GET", "/v1/canvases/{id}"))
    async def get(self, call: Call, request: CanvasId) -> CanvasView:
        """Answer a canvas and one's role on it."""
        return await self._view(
            require(call.actor, "canvas.read", await self._access(request)), request.id
        )

    @operation(summary="Change a canvas", rest=("PATCH", "/v1/canvases/{id}"))
    async def patch(self, call: Call, request: ChangeCanvas) -> CanvasView:
        """Change a canvas's name, or the worker that its code runs in."""
        actor = require(call.actor, "canvas.edit", await self._access(request))
        if request.name is not None:
            await self._rename(actor, request.id, request.name)
        if "worker" in request.model_fields_set:
            await self._workers.choose(request.id, request.worker, actor)
        return await self._view(actor, request.id)

    @operation(summary="Delete a canvas", rest=("DELETE", "/v1/canvases/{id}"))
    async def remove(self, call: Call, request: CanvasId) -> Done:
        """Delete a canvas with its runs, for good."""
        require(call.actor, "canvas.delete", await self._access(request))
        await self._records.delete(request.id)
        return Done()

    @operation(summary="Read the spell on a canvas", rest=("GET", "/v1/canvases/{id}/spell"))
    async def get_spell(self, call: Call, request: SpellAs) -> SpellView | Document:
        """Answer what is drawn on the canvas now: as JSON, or with ``as`` as a file in that form."""
        actor = require(call.actor, "canvas.read", await self._access(request))
        async with self._rooms.visit(request.id) as room:
            spell = room.spell()
        if request.form is None:
            return SpellView(spell.to_json())
        return await self._forms.write(spell, request.form, actor, request.id)

    @operation(summary="Replace the spell on a canvas", rest=("PUT", "/v1/canvases/{id}/spell"))
    async def put_spell(self, call: Call, request: ReplaceSpell) -> SpellView:
        """Draw another spell, as the least edits of the live document; everybody there sees them.

        The canvas takes the spell's name; a spell that comes without one keeps the canvas's.
        """
        actor = require(call.actor, "canvas.edit", await self._access(request))
        async with self._rooms.visit(request.id) as room:
            spell = request.spell
            if "name" not in spell.model_fields_set:
                spell = spell.model_copy(update={"name": room.spell().name})
            await room.replace_spell(actor, spell)
            drawn = room.spell()
        await self._name_like(request.id, drawn)
        return SpellView(drawn.to_json())

    @operation(
        summary="Change things of the spell on a canvas", rest=("PATCH", "/v1/canvases/{id}/spell")
    )
    async def patch_spell(self, call: Call, request: PatchSpell) -> SpellView:
        """Put the nodes, edges, groups, notes and tests given, remove those given as null, and leave the rest.

        With a node go its wires. As the least edits of the live document, of
        the spell as it is at that moment; everybody there sees them.
        """
        actor = require(call.actor, "canvas.edit", await self._access(request))
        async with self._rooms.visit(request.id) as room:
            await room.change_spell(actor, lambda spell: patched(spell, request))
            drawn = room.spell()
        await self._name_like(request.id, drawn)
        return SpellView(drawn.to_json())

    @operation(summary="List who has a role on a canvas", rest=("GET", "/v1/canvases/{id}/members"))
    async def members(self, call: Call, request: CanvasId) -> MemberList:
        """List members, by email address."""
        require(call.actor, "canvas.read", await self._access(request))
        return await self._members(request.id)

    @operation(
        summary="Give somebody a role on a canvas", rest=("PUT", "/v1/canvases/{id}/members")
    )
    async def put_member(self, call: Call, request: PutMember) -> MemberList:
        """Give a role to the account of an email address, in place of any it has."""
        require(call.actor, "canvas.share", await self._access(request))
        user = await self._users.by_email(request.email)
        if user is None or user.disabled:
            raise BadRequest.field("email", f"there is no account for {request.email}")
        await self._keep_an_owner(request.id, user.id, request.role)
        await self._records.set_member(request.id, user.id, request.role)
        return await self._members(request.id)

    @operation(
        summary="Take somebody's role on a canvas away",
        rest=("DELETE", "/v1/canvases/{id}/members"),
    )
    async def remove_member(self, call: Call, request: RemoveMember) -> MemberList:
        """Take a role away; open tabs of that person lose the canvas within seconds. Anybody may leave."""
        access = await self._access(request)
        user = await self._users.by_email(request.email)
        leaving = user is not None and call.actor is not None and user.id == call.actor.user_id
        require(call.actor, "canvas.read" if leaving else "canvas.share", access)
        if user is None or user.id not in access.roles:
            raise NotFound(
                f"{request.email} has no role on this canvas", details={"email": request.email}
            )
        await self._keep_an_owner(request.id, user.id, None)
        await self._records.remove_member(request.id, user.id)
        return await self._members(request.id) if not leaving else MemberList(items=[])

    async def _access(self, request: CanvasId) -> Any:
        return await self._records.access(request.id)

    async def _view(self, actor: Actor, canvas_id: str) -> CanvasView:
        role = (await self._records.access(canvas_id)).role(actor)
        assert role is not None
        return _view(await self._records.get(canvas_id), role)

    async def _name_like(self, canvas_id: str, drawn: Spell) -> None:
        """Let the canvas take the name of the spell drawn on it."""
        if drawn.name and drawn.name != (await self._records.get(canvas_id)).name:
            await self._records.rename(canvas_id, drawn.name)

    async def _rename(self, actor: Actor, canvas_id: str, name: str) -> None:
        """Rename the canvas, and the spell on it, which carries the name along when it is exported."""
        await self._records.rename(canvas_id, name)
        async with self._rooms.visit(canvas_id) as room:
            await room.rename(actor, name)

    async def _members(self, canvas_id: str) -> MemberList:
        return _member_list(await self._records.members(canvas_id))

    async def _keep_an_owner(self, canvas_id: str, user_id: str, role: CanvasRole | None) -> None:
        owners = [
            each.user_id for each in await self._records.members(canvas_id) if each.role == "owner"
        ]
        if role != "owner" and owners == [user_id]:
            raise Conflict(
                "A canvas needs an owner; make somebody else one first", code="last_owner"
            )


async def create_canvas(
    records: CanvasRecords, rooms: Rooms, actor: Actor, name: str | None, spell: Spell | None
) -> CanvasRecord:
    """Make a canvas; what is drawn on it goes through its room, like every edit."""
    title = name or (spell.name if spell else "Untitled")
    record = await records.create(title, actor.user_id)
    drawn = (spell or Spell()).model_copy(update={"name": title})
    try:
        async with rooms.visit(record.id) as room:
            await room.replace_spell(actor, drawn)
    except BaseException:
        await records.delete(record.id)
        raise
    return record


def _view(record: CanvasRecord, role: CanvasRole) -> CanvasView:
    return CanvasView(
        id=record.id,
        name=record.name,
        owner_id=record.owner_id,
        role=role,
        epoch=record.epoch,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def _member_list(members: Sequence[Member]) -> MemberList:
    return MemberList(
        items=[
            MemberView(user_id=each.user_id, email=each.email, name=each.name, role=each.role)
            for each in members
        ]
    )
