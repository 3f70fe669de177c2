"""Invitations and share links, as they are kept: the hash of a token, and whom it lets in as what."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.identity.policy import CANVAS_ROLES, CanvasRole

from .canvases import CanvasRecords, put_member
from .database import Database
from .schema import INVITATIONS, MEMBERS, USERS
from .users import Clock, UserRecord, account_row, taken

FORGET_SECONDS = 90 * 86_400
"""How long what is used up, revoked or expired is kept, to tell those who come with it why."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way onto a canvas: for the one person of ``email``, or (a share link) for whoever has it.

    ``expires_at`` None is never; ``uses`` counts whom it let in; ``used_at``
    is when it was used up, which only one with an address can be.
    """

    id: str
    canvas_id: str
    role: CanvasRole
    email: str | None
    token_hash: str
    created_by: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None = None
    used_at: float | None = None
    uses: int = 0


class InvitationRecords:
    """Invitations by id and by the hash of their token."""

    def __init__(
        self, database: Database, canvases: CanvasRecords, clock: Clock = time.time
    ) -> None:
        self._database = database
        self._canvases = canvases
        self._clock = clock

    async def add(
        self,
        canvas_id: str,
        role: CanvasRole,
        email: str | None,
        *,
        token_hash: str,
        created_by: str,
        seconds: float | None,
    ) -> Invitation:
        """Keep a new one, good for ``seconds`` (None: for ever), in place of an open one for the same address."""
        now = self._clock()
        made = Invitation(
            id=uuid4().hex,
            canvas_id=canvas_id,
            role=role,
            email=email,
            token_hash=token_hash,
            created_by=created_by,
            created_at=now,
            expires_at=None if seconds is None else now + seconds,
        )
        async with self._database.write() as conn:
            await self._forget_old(conn, now)
            if email is not None:
                mine = (INVITATIONS.c.canvas_id == canvas_id, INVITATIONS.c.email == email)
                await conn.execute(
                    update(INVITATIONS).where(*mine, *_untouched()).values(revoked_at=now)
                )
            await conn.execute(insert(INVITATIONS).values(_row(made)))
        return made

    async def of_canvas(self, canvas_id: str) -> list[Invitation]:
        """Return those that are neither used up nor revoked, the newest first; expired ones too."""
        query = select(INVITATIONS).where(INVITATIONS.c.canvas_id == canvas_id, *_untouched())
        async with self._database.read() as conn:
            rows = await conn.execute(query.order_by(INVITATIONS.c.created_at.desc()))
            return [_invitation(row) for row in rows]

    async def count(self, canvas_id: str) -> int:
        """Count those that are neither used up nor revoked."""
        query = select(func.count()).select_from(INVITATIONS)
        async with self._database.read() as conn:
            found = query.where(INVITATIONS.c.canvas_id == canvas_id, *_untouched())
            return int((await conn.execute(found)).scalar_one())

    async def by_hash(self, token_hash: str) -> Invitation | None:
        """Return the invitation of a token, whatever became of it; None for a token that is none's."""
        query = select(INVITATIONS).where(INVITATIONS.c.token_hash == token_hash)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        # The index finds it; what is compared are hashes of 256 random bits, again without leaking time.
        if row is None or not hmac.compare_digest(row.token_hash, token_hash):
            return None
        return _invitation(row)

    async def revoke(self, canvas_id: str, invitation_id: str) -> bool:
        """Let it be used no more; False when there is none that could be."""
        return await self._change(canvas_id, invitation_id, revoked_at=self._clock())

    async def renew(
        self,
        canvas_id: str,
        invitation_id: str,
        *,
        token_hash: str,
        created_by: str,
        seconds: float | None,
    ) -> bool:
        """Give it another token, which counts from now and is ``created_by``'s; the old one is no one's."""
        now = self._clock()
        return await self._change(
            canvas_id,
            invitation_id,
            token_hash=token_hash,
            created_by=created_by,
            created_at=now,
            expires_at=None if seconds is None else now + seconds,
        )

    async def get(self, canvas_id: str, invitation_id: str) -> Invitation | None:
        """Return one of a canvas that is neither used up nor revoked, or None."""
        async with self._database.read() as conn:
            row = (
                await conn.execute(select(INVITATIONS).where(*_open(canvas_id, invitation_id)))
            ).one_or_none()
        return None if row is None else _invitation(row)

    async def admit(self, invitation: Invitation, user_id: str) -> CanvasRole | None:
        """Make a user a member; return the role they then have, None when it cannot be used any more.

        A role that allows more than the invitation's stays, and a share link is
        then not used. Who is let in, and that it was used, is one transaction.
        """
        async with self._database.write() as conn:
            had = await _role(conn, invitation.canvas_id, user_id)
            role = higher(had, invitation.role)
            if not await self._use(conn, invitation, counts=role != had):
                return None
            if role != had:
                await put_member(conn, invitation.canvas_id, user_id, role)
        self._canvases.changed(invitation.canvas_id)
        return role

    async def admit_new(self, invitation: Invitation, user: UserRecord) -> bool:
        """Add an account and make it a member, as one transaction; False when it cannot be used any more.

        Raises Conflict (``email_taken``) when the address has got an account meanwhile.
        """
        try:
            async with self._database.write() as conn:
                if not await self._use(conn, invitation, counts=True):
                    return False
                await conn.execute(insert(USERS).values(account_row(user)))
                await put_member(conn, invitation.canvas_id, user.id, invitation.role)
        except IntegrityError as error:
            raise taken(user.email) from error
        self._canvases.changed(invitation.canvas_id)
        return True

    async def _use(self, conn: AsyncConnection, invitation: Invitation, *, counts: bool) -> bool:
        """Count a use, if it still has this token and may be used at this moment."""
        now = self._clock()
        alive = or_(INVITATIONS.c.expires_at.is_(None), INVITATIONS.c.expires_at > now)
        values: dict[str, Any] = {"uses": INVITATIONS.c.uses + int(counts)}
        if invitation.email is not None:
            values["used_at"] = now
        used = await conn.execute(
            update(INVITATIONS)
            .where(
                *_open(invitation.canvas_id, invitation.id),
                INVITATIONS.c.token_hash == invitation.token_hash,
                alive,
            )
            .values(values)
        )
        return bool(used.rowcount)

    async def _change(self, canvas_id: str, invitation_id: str, **values: Any) -> bool:
        change = update(INVITATIONS).where(*_open(canvas_id, invitation_id)).values(values)
        async with self._database.write() as conn:
            return bool((await conn.execute(change)).rowcount)

    async def _forget_old(self, conn: AsyncConnection, now: float) -> None:
        long_ago = now - FORGET_SECONDS
        ended = (INVITATIONS.c.used_at, INVITATIONS.c.revoked_at, INVITATIONS.c.expires_at)
        await conn.execute(delete(INVITATIONS).where(or_(*(column < long_ago for column in ended))))


def higher(one: CanvasRole | None, other: CanvasRole) -> CanvasRole:
    """Return the role that allows more."""
    if one is None:
        return other
    return max(one, other, key=CANVAS_ROLES.index)


async def _role(conn: AsyncConnection, canvas_id: str, user_id: str) -> CanvasRole | None:
    query = select(MEMBERS.c.role).where(
        MEMBERS.c.canvas_id == canvas_id, MEMBERS.c.user_id == user_id
    )
    return cast("CanvasRole | None", (await conn.execute(query)).scalar_one_or_none())


def _untouched() -> tuple[Any, Any]:
    return INVITATIONS.c.used_at.is_(None), INVITATIONS.c.revoked_at.is_(None)


def _open(canvas_id: str, invitation_id: str) -> tuple[Any, ...]:
    mine = (INVITATIONS.c.canvas_id == canvas_id, INVITATIONS.c.id == invitation_id)
    return (*mine, *_untouched())


def _row(invitation: Invitation) -> dict[str, Any]:
    return {column: getattr(invitation, column) for column in Invitation.__slots__}


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(**{column: getattr(row, column) for column in Invitation.__slots__})
