"""Whom a question is for: found by what the node says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from spellwork_server.identity.policy import CANVAS_ROLES, CanvasAccess, CanvasRole
from spellwork_server.storage.users import UserRecord

Access = Callable[[str], Awaitable[CanvasAccess]]


class Users(Protocol):
    """What is needed of ``storage.UserRecords``."""

    async def get(self, user_id: str) -> UserRecord | None:
        """Return the account with this id, or None."""

    async def by_email(self, email: str) -> UserRecord | None:
        """Return the account of an address, or None."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """A user, or everybody who has at least a role on the canvas."""

    user: str | None = None
    role: CanvasRole | None = None


class UnknownAssignee(ValueError):
    """Nobody is that, or they may not see the canvas."""


class Assignees:
    """Finds whom a question is for."""

    def __init__(self, users: Users, access: Access) -> None:
        self._users = users
        self._access = access

    async def find(
        self, canvas: str | None, *, user: str | None, role: str | None, otherwise: str
    ) -> Assignee:
        """Return the user of an id or address, or a role; without either whoever may run, on no canvas ``otherwise``.

        Raises UnknownAssignee.
        """
        if role is not None:
            return Assignee(role=_role(canvas, role))
        if user is None and canvas is not None:
            return Assignee(role="runner")
        if user is None or user == otherwise:
            return Assignee(user=otherwise)
        found = await self._users.by_email(user) if "@" in user else await self._users.get(user)
        if found is None or found.disabled:
            raise UnknownAssignee(f"{user} has no account here")
        if canvas is not None and found.role != "admin":
            access = await self._access(canvas)
            if found.id not in access.roles:
                raise UnknownAssignee(f"{user} is no member of this canvas, and could not answer")
        return Assignee(user=found.id)


def _role(canvas: str | None, role: str) -> CanvasRole:
    for each in CANVAS_ROLES:
        if each == role:
            if canvas is None:
                raise UnknownAssignee(f"nobody has the role {role}: the spell is on no canvas")
            return each
    raise UnknownAssignee(f"{role!r} is no role on a canvas; there are {', '.join(CANVAS_ROLES)}")
