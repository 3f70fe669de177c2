"""API keys, kept as hashes with the first characters to tell them apart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, insert, select, update

from .database import Database
from .schema import API_KEYS
from .users import Clock


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A key of a user. The key itself is not kept."""

    id: str
    user_id: str
    name: str
    prefix: str
    created_at: float
    last_used_at: float | None
    revoked_at: float | None


class ApiKeyRecords:
    """API keys by id and by hash."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(self, user_id: str, name: str, prefix: str, key_hash: str) -> ApiKeyRecord:
        """Keep a new key by its hash."""
        record = ApiKeyRecord(
            id=uuid4().hex,
            user_id=user_id,
            name=name,
            prefix=prefix,
            created_at=self._clock(),
            last_used_at=None,
            revoked_at=None,
        )
        values = {column: getattr(record, column) for column in ApiKeyRecord.__slots__}
        async with self._database.write() as conn:
            await conn.execute(insert(API_KEYS).values(values | {"key_hash": key_hash}))
        return record

    async def by_hash(self, key_hash: str) -> ApiKeyRecord | None:
        """Return the key with this hash, revoked or not, or None."""
        return await self._one(select(API_KEYS).where(API_KEYS.c.key_hash == key_hash))

    async def get(self, key_id: str) -> ApiKeyRecord | None:
        """Return the key with this id, revoked or not, or None."""
        return await self._one(select(API_KEYS).where(API_KEYS.c.id == key_id))

    async def of_user(self, user_id: str) -> list[ApiKeyRecord]:
        """Return a user's keys that are not revoked, newest first."""
        query = select(API_KEYS).where(
            API_KEYS.c.user_id == user_id, API_KEYS.c.revoked_at.is_(None)
        )
        async with self._database.read() as conn:
            return [
                _record(row)
                for row in await conn.execute(query.order_by(API_KEYS.c.created_at.desc()))
            ]

    async def revoke(self, key_id: str) -> None:
        """Revoke a key; revoking twice changes nothing."""
        await self._change(key_id, revoked_at=self._clock())

    async def touch(self, key_id: str) -> None:
        """Note that a key was just used."""
        await self._change(key_id, last_used_at=self._clock())

    async def _one(self, query: Any) -> ApiKeyRecord | None:
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else _record(row)

    async def _change(self, key_id: str, **values: float) -> None:
        change = update(API_KEYS).where(API_KEYS.c.id == key_id, API_KEYS.c.revoked_at.is_(None))
        async with self._database.write() as conn:
            await conn.execute(change.values(values))


def _record(row: Row[Any]) -> ApiKeyRecord:
    return ApiKeyRecord(**{column: getattr(row, column) for column in ApiKeyRecord.__slots__})
