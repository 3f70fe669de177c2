"""Accounts, as they are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from spellwork_server.errors import Conflict, NotFound
from spellwork_server.identity.actor import GlobalRole

from .database import Database
from .schema import USERS

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account. ``password_hash`` is None until a password is chosen."""

    id: str
    email: str
    name: str
    role: GlobalRole
    created_at: float
    disabled_at: float | None
    password_hash: str | None

    @property
    def disabled(self) -> bool:
        """Whether the account may not be used."""
        return self.disabled_at is not None


class UserRecords:
    """Accounts by id and by email address. Addresses are compared in lower case."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        email: str,
        *,
        name: str = "",
        role: GlobalRole = "member",
        password_hash: str | None = None,
    ) -> UserRecord:
        """Add an account. Raises Conflict when the address is taken."""
        record = new_account(
            email, name=name, role=role, password_hash=password_hash, at=self._clock()
        )
        try:
            async with self._database.write() as conn:
                await conn.execute(insert(USERS).values(account_row(record)))
        except IntegrityError as error:
            raise taken(record.email) from error
        return record

    async def get(self, user_id: str) -> UserRecord | None:
        """Return the account with this id, or None."""
        async with self._database.read() as conn:
            row = (await conn.execute(select(USERS).where(USERS.c.id == user_id))).one_or_none()
        return None if row is None else _record(row)

    async def require(self, user_id: str) -> UserRecord:
        """Return the account with this id. Raises NotFound."""
        record = await self.get(user_id)
        if record is None:
            raise NotFound(f"There is no user {user_id}", details={"user": user_id})
        return record

    async def by_email(self, email: str) -> UserRecord | None:
        """Return the account of an address, or None."""
        async with self._database.read() as conn:
            row = (
                await conn.execute(select(USERS).where(USERS.c.email == normal(email)))
            ).one_or_none()
        return None if row is None else _record(row)

    async def find(self, user_ids: Sequence[str] | None = None) -> list[UserRecord]:
        """Return all accounts, or those with the ids given, by email address."""
        query = select(USERS).order_by(USERS.c.email)
        if user_ids is not None:
            query = query.where(USERS.c.id.in_(user_ids))
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query)]

    async def update(self, user_id: str, **changes: Any) -> UserRecord:
        """Change columns of an account and return it. Raises NotFound."""
        async with self._database.write() as conn:
            if changes:
                await conn.execute(update(USERS).where(USERS.c.id == user_id).values(changes))
            row = (await conn.execute(select(USERS).where(USERS.c.id == user_id))).one_or_none()
        if row is None:
            raise NotFound(f"There is no user {user_id}", details={"user": user_id})
        return _record(row)

    async def administrators(self, *, besides: str | None = None) -> int:
        """Count the accounts that administer the server and are not disabled."""
        query = select(func.count()).select_from(USERS)
        query = query.where(USERS.c.role == "admin", USERS.c.disabled_at.is_(None))
        if besides is not None:
            query = query.where(USERS.c.id != besides)
        async with self._database.read() as conn:
            return int((await conn.execute(query)).scalar_one())

    async def unclaimed_administrator(self) -> UserRecord | None:
        """Return an administrator who could not sign in yet, while none has a password; else None."""
        async with self._database.read() as conn:
            query = select(USERS).where(USERS.c.role == "admin", USERS.c.disabled_at.is_(None))
            found = [_record(row) for row in await conn.execute(query.order_by(USERS.c.created_at))]
        if not found or any(each.password_hash for each in found):
            return None
        return found[0]


def new_account(
    email: str,
    *,
    name: str = "",
    role: GlobalRole = "member",
    password_hash: str | None = None,
    at: float,
) -> UserRecord:
    """Return an account that is not stored yet; its name, if not given, is from the address."""
    address = normal(email)
    return UserRecord(
        id=uuid4().hex,
        email=address,
        name=name or address.partition("@")[0],
        role=role,
        created_at=at,
        disabled_at=None,
        password_hash=password_hash,
    )


def account_row(record: UserRecord) -> dict[str, Any]:
    """Return an account's columns."""
    return {column: getattr(record, column) for column in UserRecord.__slots__}


def taken(email: str) -> Conflict:
    """Return the refusal of an address that has an account already."""
    return Conflict(
        f"There is already an account for {email}", code="email_taken", details={"email": email}
    )


def normal(email: str) -> str:
    """Return an address in the form it is kept and compared in."""
    return email.strip().lower()


def _record(row: Row[Any]) -> UserRecord:
    return UserRecord(
        id=row.id,
        email=row.email,
        name=row.name,
        role=cast("GlobalRole", row.role),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        password_hash=row.password_hash,
    )
