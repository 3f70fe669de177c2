"""Secrets, encrypted: each a user's, or a canvas's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from spellwork_server.errors import Conflict, NotFound

from .database import Database
from .schema import SECRETS
from .users import Clock


@dataclass(frozen=True, slots=True)
class SecretRecord:
    """A secret; exactly one of ``user_id`` and ``canvas_id`` is whose it is."""

    id: str
    name: str
    user_id: str | None
    canvas_id: str | None
    value: bytes
    created_at: float
    updated_at: float


class SecretRecords:
    """Secrets by id, and by whose they are."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        name: str,
        encrypt: Callable[[str], bytes],
        *,
        user_id: str | None = None,
        canvas_id: str | None = None,
    ) -> SecretRecord:
        """Keep a secret, encrypted under its new id. Raises Conflict where the name is taken."""
        now, id = self._clock(), uuid4().hex
        record = SecretRecord(id, name, user_id, canvas_id, encrypt(id), now, now)
        values = {column: getattr(record, column) for column in SecretRecord.__slots__}
        async with self._database.write() as conn:
            same = select(SECRETS.c.id).where(
                SECRETS.c.name == name,
                SECRETS.c.user_id.is_(None) if user_id is None else SECRETS.c.user_id == user_id,
                SECRETS.c.canvas_id.is_(None)
                if canvas_id is None
                else SECRETS.c.canvas_id == canvas_id,
            )
            if (await conn.execute(same)).first() is not None:
                raise _taken(name)
            try:
                await conn.execute(insert(SECRETS).values(values))
            except IntegrityError as error:  # the canvas was just deleted
                raise NotFound("There is no such canvas") from error
        return record

    async def get(self, id: str) -> SecretRecord:
        """Return a secret. Raises NotFound."""
        found = await self._all(SECRETS.c.id == id)
        if not found:
            raise NotFound("There is no such secret", details={"secret": id})
        return found[0]

    async def of_user(self, user_id: str) -> list[SecretRecord]:
        """Return a user's own secrets by name."""
        return await self._all(SECRETS.c.user_id == user_id)

    async def of_canvas(self, canvas_id: str) -> list[SecretRecord]:
        """Return a canvas's own secrets by name."""
        return await self._all(SECRETS.c.canvas_id == canvas_id)

    async def replace(self, id: str, value: bytes) -> SecretRecord:
        """Put another value, encrypted. Raises NotFound."""
        async with self._database.write() as conn:
            changed = await conn.execute(
                update(SECRETS)
                .where(SECRETS.c.id == id)
                .values(value=value, updated_at=self._clock())
            )
        if not changed.rowcount:
            raise NotFound("There is no such secret", details={"secret": id})
        return await self.get(id)

    async def remove(self, id: str) -> None:
        """Delete a secret, and with it every grant of it."""
        async with self._database.write() as conn:
            await conn.execute(delete(SECRETS).where(SECRETS.c.id == id))

    async def _all(self, *conditions: Any) -> list[SecretRecord]:
        query = select(SECRETS).where(*conditions).order_by(SECRETS.c.name, SECRETS.c.id)
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query)]


def _record(row: Row[Any]) -> SecretRecord:
    return SecretRecord(**{column: getattr(row, column) for column in SecretRecord.__slots__})


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a secret {name!r} already; replace its value", code="name_taken")
