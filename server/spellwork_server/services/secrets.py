"""Secrets: names that people see, and values that nobody is ever told again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from pydantic import Field, SecretStr

from spellwork_server.grants.vault import Vault
from spellwork_server.identity import Actor
from spellwork_server.identity.policy import CanvasAccess, UserAccess, require
from spellwork_server.storage.secrets import SecretRecord, SecretRecords

from .service import Call, Done, Request, Service, View, operation

SecretName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$",
        description="How cells name it: {{secret.NAME}}. Letters, digits, _ and -.",
    ),
]
Value = Annotated[SecretStr, Field(min_length=6, max_length=16_384)]
"""Shorter ones could not be masked without masking everything."""


class SecretView(View):
    """A secret, without its value: that is told to nobody. ``canvas`` is None for one's own."""

    id: str
    name: str
    canvas: str | None
    created_at: float
    updated_at: float


class SecretList(View):
    """Secrets by name."""

    items: list[SecretView]


class FindSecrets(Request):
    """``canvas``: that canvas's own secrets, in place of one's own."""

    canvas: str | None = Field(default=None, min_length=1, max_length=64)


class NewSecret(Request):
    """A secret of one's own, or with ``canvas`` one of a canvas."""

    name: SecretName
    value: Value
    canvas: str | None = Field(default=None, min_length=1, max_length=64)


class SecretId(Request):
    """The secret meant."""

    id: str = Field(min_length=1, max_length=64)


class NewValue(SecretId):
    """The value that it has from now on."""

    value: Value


class SecretService(Service):
    """Secrets. A canvas uses one only when it was granted, see ``grants``."""

    name = "secrets"

    def __init__(
        self,
        records: SecretRecords,
        vault: Callable[[], Vault],
        access: Callable[[str], Awaitable[CanvasAccess]],
    ) -> None:
        self._records = records
        self._vault = vault
        self._access = access

    @operation(summary="List secrets by name", rest=("GET", "/v1/secrets"))
    async def find(self, call: Call, request: FindSecrets) -> SecretList:
        """List one's own secrets, or those of a canvas. Values are never sent."""
        if request.canvas is not None:
            require(call.actor, "canvas.share", await self._access(request.canvas))
            return _listed(await self._records.of_canvas(request.canvas))
        actor = require(call.actor, "canvas.create")
        return _listed(await self._records.of_user(actor.user_id))

    @operation(
        summary="Keep a secret", rest=("POST", "/v1/secrets"), status=201, errors=("name_taken",)
    )
    async def create(self, call: Call, request: NewSecret) -> SecretView:
        """Keep a secret, encrypted. Nothing may use it until it is granted to a canvas."""
        vault, value = self._vault(), request.value.get_secret_value()
        if request.canvas is not None:
            require(call.actor, "canvas.share", await self._access(request.canvas))
            record = await self._records.create(
                request.name, lambda id: vault.encrypt(id, value), canvas_id=request.canvas
            )
        else:
            actor = require(call.actor, "canvas.create")
            record = await self._records.create(
                request.name, lambda id: vault.encrypt(id, value), user_id=actor.user_id
            )
        return _view(record)

    @operation(summary="Replace a secret's value", rest=("PUT", "/v1/secrets/{id}"))
    async def replace(self, call: Call, request: NewValue) -> SecretView:
        """Give a secret another value; it counts from the next use on."""
        record = await self._own(call.actor, request.id)
        sealed = self._vault().encrypt(record.id, request.value.get_secret_value())
        return _view(await self._records.replace(record.id, sealed))

    @operation(summary="Remove a secret", rest=("DELETE", "/v1/secrets/{id}"))
    async def remove(self, call: Call, request: SecretId) -> Done:
        """Delete a secret, and with it every grant of it."""
        await self._records.remove((await self._own(call.actor, request.id)).id)
        return Done()

    async def _own(self, actor: Actor | None, id: str) -> SecretRecord:
        """Return a secret that the actor may change. Raises NotFound, Forbidden."""
        require(actor, "canvas.create")
        record = await self._records.get(id)
        if record.canvas_id is not None:
            require(actor, "canvas.share", await self._access(record.canvas_id))
        else:
            require(actor, "user.edit", UserAccess(record.user_id or ""))
        return record


def _listed(records: list[SecretRecord]) -> SecretList:
    return SecretList(items=[_view(each) for each in records])


def _view(record: SecretRecord) -> SecretView:
    return SecretView(
        id=record.id,
        name=record.name,
        canvas=record.canvas_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
