"""Sign-in links and refresh tokens, kept as hashes: the table alone signs nobody in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import uuid4

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .schema import REFRESH_TOKENS, SIGN_IN_LINKS
from .users import Clock

GRACE = 10.0
"""Seconds in which a refresh token may be presented again, while what it was given for was never used."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of a refresh token that was presented."""

    outcome: Literal["rotated", "unknown", "expired", "revoked", "reused"]
    user_id: str = ""
    family: str = ""


class SignInRecords:
    """One-time links, and the families of refresh tokens (one family for each sign-in)."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add_link(self, user_id: str, token_hash: str, expires_at: float) -> None:
        """Keep a link; those of the same user that nobody used are forgotten."""
        async with self._database.write() as conn:
            await conn.execute(
                delete(SIGN_IN_LINKS).where(
                    SIGN_IN_LINKS.c.user_id == user_id, SIGN_IN_LINKS.c.used_at.is_(None)
                )
            )
            await conn.execute(
                insert(SIGN_IN_LINKS).values(
                    token_hash=token_hash, user_id=user_id, expires_at=expires_at
                )
            )

    async def use_link(self, token_hash: str) -> str | None:
        """Use up a link and return whose it was; None when it is unknown, used or expired."""
        now = self._clock()
        async with self._database.write() as conn:
            used = await conn.execute(
                update(SIGN_IN_LINKS)
                .where(
                    SIGN_IN_LINKS.c.token_hash == token_hash,
                    SIGN_IN_LINKS.c.used_at.is_(None),
                    SIGN_IN_LINKS.c.expires_at > now,
                )
                .values(used_at=now)
                .returning(SIGN_IN_LINKS.c.user_id)
            )
            return cast("str | None", used.scalar_one_or_none())

    async def begin(self, user_id: str, token_hash: str, expires_at: float) -> str:
        """Start a family with its first refresh token and return the family's id."""
        family = uuid4().hex
        async with self._database.write() as conn:
            await conn.execute(
                delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.expires_at < self._clock())
            )
            await conn.execute(
                insert(REFRESH_TOKENS).values(
                    id=uuid4().hex,
                    user_id=user_id,
                    family=family,
                    token_hash=token_hash,
                    expires_at=expires_at,
                )
            )
        return family

    async def rotate(self, token_hash: str, next_hash: str, expires_at: float) -> Rotation:
        """Replace a refresh token by the next of its family, in one transaction.

        Two pages of a browser may refresh at once, and an answer may be lost:
        for ``GRACE`` seconds a used token is given another successor, in the
        place of the one that nobody used. Else a token that was used before
        means that two hold it, one of them a thief: the whole family is revoked.
        """
        now = self._clock()
        table = REFRESH_TOKENS.c
        async with self._database.write() as conn:
            query = select(REFRESH_TOKENS).where(table.token_hash == token_hash)
            row = (await conn.execute(query.with_for_update())).one_or_none()
            if row is None:
                return Rotation("unknown")
            if row.revoked_at is not None:
                return Rotation("revoked", row.user_id, row.family)
            if row.used_at is not None and not await _give_way(conn, row, now):
                await conn.execute(
                    update(REFRESH_TOKENS).where(table.family == row.family).values(revoked_at=now)
                )
                return Rotation("reused", row.user_id, row.family)
            if row.expires_at <= now:
                return Rotation("expired", row.user_id, row.family)
            if row.used_at is None:  # else the grace goes on from the first time
                used = update(REFRESH_TOKENS).where(table.id == row.id).values(used_at=now)
                await conn.execute(used)
            await conn.execute(
                insert(REFRESH_TOKENS).values(
                    id=uuid4().hex,
                    user_id=row.user_id,
                    family=row.family,
                    token_hash=next_hash,
                    expires_at=expires_at,
                    follows=row.id,
                )
            )
        return Rotation("rotated", row.user_id, row.family)

    async def family_of(self, token_hash: str) -> str | None:
        """Return the family of a refresh token, or None."""
        query = select(REFRESH_TOKENS.c.family).where(REFRESH_TOKENS.c.token_hash == token_hash)
        async with self._database.read() as conn:
            return (await conn.execute(query)).scalar_one_or_none()

    async def alive(self, family: str) -> bool:
        """Tell whether a family exists and was not revoked."""
        table = REFRESH_TOKENS.c
        query = select(func.count(), func.count(table.revoked_at)).where(table.family == family)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one()
        return bool(row[0]) and not row[1]

    async def revoke(
        self, *, family: str | None = None, user_id: str | None = None, keep: str | None = None
    ) -> None:
        """Revoke one family, or all of a user's but ``keep``."""
        table = REFRESH_TOKENS.c
        change = (
            update(REFRESH_TOKENS)
            .where(table.revoked_at.is_(None))
            .values(revoked_at=self._clock())
        )
        if family is not None:
            change = change.where(table.family == family)
        if user_id is not None:
            change = change.where(table.user_id == user_id)
        if keep is not None:
            change = change.where(table.family != keep)
        async with self._database.write() as conn:
            await conn.execute(change)


async def _give_way(conn: AsyncConnection, row: Row[Any], now: float) -> bool:
    """End the successor of a used token for another one; False where it was used, or it is too late."""
    if abs(now - row.used_at) > GRACE:  # of those at once, a later one may have been first
        return False
    table = REFRESH_TOKENS.c
    unused = (table.family == row.family, table.follows == row.id, table.used_at.is_(None))
    ended = await conn.execute(update(REFRESH_TOKENS).where(*unused).values(used_at=now))
    return bool(ended.rowcount)
