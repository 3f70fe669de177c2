"""Comments on the nodes and places of a canvas. They are no part of its spell."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import uuid4

from spellwork.spell import Spell
from spellwork_server.errors import BadRequest
from spellwork_server.identity import Action, Actor, CanvasAccess, CommentAccess, require
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.comments import (
    CommentRecord,
    CommentRecords,
    Place,
    ThreadRecord,
    missing,
)
from spellwork_server.storage.comments import NewComment as Kept

from .comment_models import (
    MAX_MENTIONS,
    CanvasComments,
    CommentChanged,
    EditComment,
    FindThreads,
    GetThread,
    NewComment,
    OneComment,
    ReadThreads,
    Thread,
    ThreadChanged,
    ThreadList,
    comment_view,
    comment_views,
    mentioned,
    thread_view,
)
from .mentions import Mentions
from .registry import Registry
from .service import Call, Done, Service, operation

RESOLVED = {"open": False, "resolved": True, "all": None}


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that this service needs."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""


class DrawnRoom(Protocol):
    """The part of ``rooms.Room`` that this service needs."""

    def spell(self) -> Spell:
        """Return what is drawn."""


class Rooms(Protocol):
    """The part of ``rooms.Rooms`` that this service needs."""

    def visit(self, canvas_id: str) -> AbstractAsyncContextManager[DrawnRoom]:
        """Open a canvas's room for the time of the block."""


class FollowsNodes(Protocol):
    """What keeps the places of nodes that have threads; see ``comment_places.py``."""

    def has_nodes(self, canvas_id: str) -> None:
        """Note that a thread was just begun at a node of this canvas."""


class CommentService(Service):
    """Comments: threads at nodes and places, and replies in them."""

    name = "comments"

    def __init__(
        self,
        records: CommentRecords,
        canvases: CanvasRecords,
        rooms: Rooms,
        mentions: Mentions,
        channels: Publishes,
        places: FollowsNodes,
    ) -> None:
        self._records = records
        self._canvases = canvases
        self._rooms = rooms
        self._mentions = mentions
        self._channels = channels
        self._places = places

    @operation(
        summary="List the threads of a canvas", rest=("GET", "/v1/canvases/{canvas}/comments")
    )
    async def find(self, call: Call, request: FindThreads) -> ThreadList:
        """List threads, the latest begun first: open ones, unless asked otherwise."""
        actor, _ = await self._may(call, "canvas.read", request.canvas)
        found, after = await self._records.find(
            request.canvas,
            resolved=RESOLVED[request.state],
            limit=request.limit,
            after=request.after,
        )
        read = await self._records.read_by(actor.user_id, [each.id for each in found])
        return ThreadList(items=[thread_view(each) for each in found], read=read, next=after)

    @operation(summary="Read a thread", rest=("GET", "/v1/canvases/{canvas}/comments/{id}"))
    async def get(self, call: Call, request: GetThread) -> Thread:
        """Answer the thread that a comment is in, with its comments, oldest first."""
        await self._may(call, "canvas.read", request.canvas)
        comment = await self._records.get(request.canvas, request.id)
        thread = await self._thread(request.canvas, comment.thread)
        comments, after = await self._records.comments(
            request.canvas, thread.id, limit=request.limit, after=request.after
        )
        return Thread(thread=thread_view(thread), comments=comment_views(comments), next=after)

    @operation(
        summary="Comment on a canvas",
        rest=("POST", "/v1/canvases/{canvas}/comments"),
        status=201,
        errors=("comment_id_taken", "too_many_threads", "too_many_replies", "cannot_mention"),
    )
    async def create(self, call: Call, request: NewComment) -> CommentChanged:
        """Begin a thread at a node or a place, or reply in one. Whoever may see the canvas may.

        Sent again with the same id it makes no second comment, and answers the first as it is now.
        """
        actor, access = await self._may(call, "canvas.comment", request.canvas)
        named = mentioned(request.text)
        await self._check_mentions(access, named)
        new = Kept(
            id=request.id or uuid4().hex,
            canvas_id=request.canvas,
            author_id=actor.user_id,
            text=request.text,
            mentions=_others(actor, named),
            thread=request.thread,
            node=request.node,
            at=await self._place(request),
        )
        made = await self._records.create(new)
        if new.node is not None:
            self._places.has_nodes(request.canvas)
        changed = await self._changed(request.canvas, new.id, tell=made)
        if made:
            await self._mentions.tell(new.id, new.mentions)
        return changed

    @operation(
        summary="Edit a comment",
        rest=("PATCH", "/v1/canvases/{canvas}/comments/{id}"),
        errors=("cannot_mention",),
    )
    async def patch(self, call: Call, request: EditComment) -> CommentChanged:
        """Change the text of a comment of one's own. Whom it mentions newly is told."""
        actor, access, before = await self._may_to(call, "comment.edit", request)
        named = mentioned(request.text)
        new = {user: name for user, name in named.items() if user not in before.mentions}
        await self._check_mentions(access, new)
        await self._records.edit(request.id, request.text, _others(actor, named))
        changed = await self._changed(request.canvas, request.id)
        await self._mentions.tell(request.id, _others(actor, new))
        return changed

    @operation(
        summary="Remove a comment",
        rest=("DELETE", "/v1/canvases/{canvas}/comments/{id}"),
    )
    async def remove(self, call: Call, request: OneComment) -> Done:
        """Remove a comment of one's own, or as an editor any; the first of a thread takes the thread along."""
        _, _, comment = await self._may_to(call, "comment.remove", request)
        await self._records.remove(request.id)
        thread = await self._records.thread(request.canvas, comment.thread)
        self._publish(
            CanvasComments(
                canvas=request.canvas,
                id=comment.thread,
                thread=None if thread is None else thread_view(thread),
                removed=request.id,
            )
        )
        return Done()

    @operation(
        summary="Resolve a thread",
        rest=("POST", "/v1/canvases/{canvas}/comments/{id}/resolve"),
    )
    async def resolve(self, call: Call, request: OneComment) -> ThreadChanged:
        """Say that a thread is done with; its author and editors may."""
        return await self._resolve(call, request, resolved=True)

    @operation(
        summary="Reopen a thread",
        rest=("POST", "/v1/canvases/{canvas}/comments/{id}/reopen"),
    )
    async def reopen(self, call: Call, request: OneComment) -> ThreadChanged:
        """Say that a thread is not done with after all; its author and editors may."""
        return await self._resolve(call, request, resolved=False)

    @operation(
        summary="Say that I have read a thread",
        rest=("POST", "/v1/canvases/{canvas}/comments/read"),
    )
    async def read(self, call: Call, request: ReadThreads) -> Done:
        """Note that one has read a thread, or all of a canvas, with what mentions one there."""
        actor, _ = await self._may(call, "canvas.read", request.canvas)
        await self._records.mark_read(request.canvas, actor.user_id, request.thread)
        await self._mentions.tell_count(actor)
        return Done()

    async def _may(self, call: Call, action: Action, canvas: str) -> tuple[Actor, CanvasAccess]:
        access = await self._canvases.access(canvas)
        return require(call.actor, action, access), access

    async def _may_to(
        self, call: Call, action: Action, request: OneComment
    ) -> tuple[Actor, CanvasAccess, CommentRecord]:
        """Check first that the canvas may be seen: others learn of no comment on it."""
        _, access = await self._may(call, "canvas.read", request.canvas)
        comment = await self._records.get(request.canvas, request.id)
        owned = CommentAccess(comment.id, comment.author.id, access)
        return require(call.actor, action, owned), access, comment

    async def _thread(self, canvas: str, thread: str) -> ThreadRecord:
        found = await self._records.thread(canvas, thread)
        if found is None:
            raise missing(thread)
        return found

    async def _resolve(self, call: Call, request: OneComment, *, resolved: bool) -> ThreadChanged:
        actor, _, comment = await self._may_to(call, "comment.resolve", request)
        if comment.thread != comment.id:
            raise BadRequest.field("id", "is a reply; a thread has the id of its first comment")
        await self._records.resolve(request.id, actor.user_id if resolved else None)
        view = thread_view(await self._thread(request.canvas, request.id))
        self._publish(CanvasComments(canvas=request.canvas, id=request.id, thread=view))
        return ThreadChanged(thread=view)

    async def _place(self, request: NewComment) -> Place | None:
        """Return where a thread begins: what was said, else where its node is."""
        if request.at is not None or request.node is None:
            return request.at
        async with self._rooms.visit(request.canvas) as room:
            node = room.spell().nodes.get(request.node)
        if node is None:
            raise BadRequest.field("node", f"there is no node {request.node} on this canvas")
        x, y = node.position
        return (x, y)

    async def _check_mentions(self, access: CanvasAccess, named: dict[str, str]) -> None:
        if len(named) > MAX_MENTIONS:
            raise BadRequest.field("text", f"mentions more than {MAX_MENTIONS} people")
        blind = await self._mentions.cannot_see(access, list(named))
        if blind:
            people = {user: named[user] for user in blind}
            names = ", ".join(name or user for user, name in people.items())
            raise BadRequest(
                f"Only people who may see the canvas can be mentioned; these may not: {names}",
                code="cannot_mention",
                details={"users": people},
            )

    async def _changed(self, canvas: str, comment: str, *, tell: bool = True) -> CommentChanged:
        record = await self._records.get(canvas, comment)
        thread = thread_view(await self._thread(canvas, record.thread))
        view = comment_view(record)
        if tell:
            self._publish(
                CanvasComments(canvas=canvas, id=record.thread, thread=thread, comment=view)
            )
        return CommentChanged(thread=thread, comment=view)

    def _publish(self, event: CanvasComments) -> None:
        self._channels.publish(
            f"canvas:{event.canvas}", "canvas.comments", event.model_dump(mode="json")
        )


def announce_comments(registry: Registry) -> None:
    """Document the events that this service sends to sockets."""
    registry.announce("canvas.comments", CanvasComments, "A thread of comments changed")


def _others(actor: Actor, named: dict[str, str]) -> list[str]:
    """Return who is named besides the author: nobody is told of their own words."""
    return [user for user in named if user != actor.user_id]
