"""Grants to canvases: each a host, or a secret with the hosts to which it may go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.exc import IntegrityError

from spellwork_server.errors import Conflict, NotFound

from .database import Database
from .schema import GRANTS, SECRETS
from .users import Clock

MOST_GRANTS = 200
"""Grants that one canvas may have."""


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant. ``secret`` is the name of the secret, ``secret_id`` its id; without one it grants the one host."""

    id: str
    canvas_id: str
    hosts: list[str]
    secret_id: str | None
    secret: str | None
    granted_by: str | None
    created_at: float


class GrantRecords:
    """The grants of canvases. They go with the canvas, and with the secret."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, canvas_id: str, hosts: Sequence[str], granted_by: str, secret_id: str | None = None
    ) -> GrantRecord:
        """Keep a grant. Raises Conflict where it is there already, or there are too many."""
        id = uuid4().hex
        before = await self.of_canvas(canvas_id)
        if len(before) >= MOST_GRANTS:
            raise Conflict(f"A canvas has at most {MOST_GRANTS} grants", code="too_many")
        for each in before:
            if each.secret_id == secret_id and (secret_id is not None or each.hosts == list(hosts)):
                raise Conflict(
                    "That is granted already; remove it to grant it anew", code="granted"
                )
        values = {
            "id": id,
            "canvas_id": canvas_id,
            "hosts": list(hosts),
            "secret_id": secret_id,
            "granted_by": granted_by,
            "created_at": self._clock(),
        }
        async with self._database.write() as conn:
            try:
                await conn.execute(insert(GRANTS).values(values))
            except IntegrityError as error:
                raise NotFound("There is no such canvas or secret any more") from error
        return next(each for each in await self.of_canvas(canvas_id) if each.id == id)

    async def of_canvas(self, canvas_id: str) -> list[GrantRecord]:
        """Return a canvas's grants, the oldest first."""
        query = (
            select(GRANTS, SECRETS.c.name.label("secret"))
            .outerjoin(SECRETS, SECRETS.c.id == GRANTS.c.secret_id)
            .where(GRANTS.c.canvas_id == canvas_id)
            .order_by(GRANTS.c.created_at, GRANTS.c.id)
        )
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query)]

    async def remove(self, canvas_id: str, id: str) -> GrantRecord:
        """Take a grant back; it counts no more from now on. Raises NotFound."""
        found = [each for each in await self.of_canvas(canvas_id) if each.id == id]
        if not found:
            raise NotFound("There is no such grant", details={"grant": id})
        async with self._database.write() as conn:
            await conn.execute(delete(GRANTS).where(GRANTS.c.id == id))
        return found[0]


def _record(row: Row[Any]) -> GrantRecord:
    return GrantRecord(**{column: getattr(row, column) for column in GrantRecord.__slots__})
