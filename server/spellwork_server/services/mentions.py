"""Mentions: who named me in comments, over all canvases that I may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from spellwork_server.identity import Actor, CanvasAccess, require
from spellwork_server.identity.policy import UserAccess
from spellwork_server.storage.mentions import MentionRecords
from spellwork_server.storage.users import UserRecords

from .comment_models import (
    FindMentions,
    MentionList,
    ReadMentions,
    Unread,
    UserMentions,
    mention_view,
)
from .registry import Registry
from .service import Call, Service, operation


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that mentions need."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""


class Mentions:
    """Who may be mentioned, and telling those who were."""

    def __init__(self, records: MentionRecords, users: UserRecords, channels: Publishes) -> None:
        self._records = records
        self._users = users
        self._channels = channels

    async def cannot_see(self, access: CanvasAccess, user_ids: Sequence[str]) -> list[str]:
        """Return those of the users who may not see the canvas, or are none."""
        if not user_ids:
            return []
        found = {each.id: each for each in await self._users.find(user_ids) if not each.disabled}
        return [
            each
            for each in user_ids
            if each not in found or not (each in access.roles or found[each].role == "admin")
        ]

    async def tell(self, comment: str, user_ids: Sequence[str]) -> None:
        """Tell people's sockets that a comment mentions them."""
        admins = {each.id for each in await self._users.find(user_ids) if each.role == "admin"}
        for user_id in user_ids:
            mention = await self._records.of(user_id, comment)
            unread = await self._records.unread(user_id, everywhere=user_id in admins)
            if mention is not None:
                self._publish(user_id, UserMentions(unread=unread, mention=mention_view(mention)))

    async def tell_count(self, actor: Actor) -> int:
        """Tell somebody's sockets how many mentions are not read now, and return it."""
        unread = await self._records.unread(actor.user_id, everywhere=actor.is_admin)
        self._publish(actor.user_id, UserMentions(unread=unread))
        return unread

    def _publish(self, user_id: str, event: UserMentions) -> None:
        self._channels.publish(f"user:{user_id}", "user.mentions", event.model_dump(mode="json"))


class MentionService(Service):
    """One's own mentions."""

    name = "mentions"

    def __init__(self, records: MentionRecords, mentions: Mentions) -> None:
        self._records = records
        self._mentions = mentions

    @operation(summary="List where I am mentioned", rest=("GET", "/v1/mentions"))
    async def find(self, call: Call, request: FindMentions) -> MentionList:
        """List one's mentions on canvases that one may see: those not read first, then the latest."""
        actor = _self(call)
        found, after = await self._records.find(
            actor.user_id, everywhere=actor.is_admin, limit=request.limit, after=request.after
        )
        unread = await self._records.unread(actor.user_id, everywhere=actor.is_admin)
        return MentionList(items=[mention_view(each) for each in found], unread=unread, next=after)

    @operation(summary="Say that I have read a mention", rest=("POST", "/v1/mentions/read"))
    async def read(self, call: Call, request: ReadMentions) -> Unread:
        """Note that one has read a mention, or all; reading twice changes nothing."""
        actor = _self(call)
        await self._records.mark_read(actor.user_id, request.comment)
        return Unread(unread=await self._mentions.tell_count(actor))


def announce_mentions(registry: Registry) -> None:
    """Document the events that this service sends to sockets."""
    registry.announce("user.mentions", UserMentions, "How many mentions of you are not read")


def _self(call: Call) -> Actor:
    actor = call.actor
    return require(actor, "user.read", UserAccess(actor.user_id if actor else ""))
