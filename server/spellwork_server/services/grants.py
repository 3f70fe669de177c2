"""Grants: which hosts a canvas's code may reach, and which secrets it may use where."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from pydantic import Field

from spellwork_server.errors import BadRequest, Forbidden, NotFound
from spellwork_server.grants.hosts import MAX_LENGTH, HostPattern
from spellwork_server.identity import Actor
from spellwork_server.identity.policy import CanvasAccess, allowed, require
from spellwork_server.storage.grants import GrantRecord, GrantRecords
from spellwork_server.storage.secrets import SecretRecords

from .canvases import CanvasId
from .service import Call, Done, Service, View, operation

Grantors = Literal["administrators", "owners"]
Host = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]

logger = logging.getLogger(__name__)
audit = logging.getLogger("spellwork_server.audit")


class GrantView(View):
    """A grant. With ``secret`` the secret of that name may go to ``hosts``; without, code may connect to them."""

    id: str
    hosts: list[str]
    secret: str | None
    by: str | None = Field(description="Id of the user who gave it.")
    created_at: float


class GrantList(View):
    """A canvas's grants, the oldest first; ``may_grant``: whether the caller may give and take them."""

    items: list[GrantView]
    may_grant: bool


class NewGrant(CanvasId):
    """Hosts to reach: ``api.example.org`` (port 443), ``example.org:80``, ``*.example.org:8443``, ``10.0.0.5:5432``.

    With ``secret``, the id of a secret of one's own or of the canvas: where that secret may go.
    """

    hosts: list[Host] = Field(min_length=1, max_length=32)
    secret: str | None = Field(default=None, min_length=1, max_length=64)


class GrantId(CanvasId):
    """The canvas, and one of its grants."""

    grant: str = Field(min_length=1, max_length=64)


class GrantService(Service):
    """What administrators, or owners where the operator lets them, allow a canvas."""

    name = "grants"

    def __init__(
        self,
        records: GrantRecords,
        secrets: SecretRecords,
        access: Callable[[str], Awaitable[CanvasAccess]],
        grantors: Grantors,
    ) -> None:
        self._records = records
        self._secrets = secrets
        self._access = access
        self._grantors = grantors

    @operation(summary="List what a canvas was granted", rest=("GET", "/v1/canvases/{id}/grants"))
    async def find(self, call: Call, request: CanvasId) -> GrantList:
        """List the hosts that a canvas's code may reach, and the names of the secrets that it may use."""
        access = await self._access(request.id)
        actor = require(call.actor, "canvas.read", access)
        records = await self._records.of_canvas(request.id)
        return GrantList(
            items=[_view(each) for each in records], may_grant=self._may(actor, access)
        )

    @operation(
        summary="Grant a canvas hosts, or a secret",
        rest=("POST", "/v1/canvases/{id}/grants"),
        status=201,
        errors=("granted", "too_many"),
    )
    async def create(self, call: Call, request: NewGrant) -> GrantView:
        """Grant hosts, or the use of a secret at hosts. It counts from the next connection on."""
        actor = await self._require(call.actor, request.id)
        hosts = [str(each) for each in self._patterns(actor, request.hosts)]
        if request.secret is not None:
            await self._require_secret(actor, request.id, request.secret)
        record = await self._records.create(request.id, hosts, actor.user_id, request.secret)
        what = f"the secret {record.secret} at " if record.secret else ""
        audit.info(
            "%s granted canvas %s %s%s", actor.email, request.id, what, ", ".join(record.hosts)
        )
        return _view(record)

    @operation(summary="Take a grant back", rest=("DELETE", "/v1/canvases/{id}/grants/{grant}"))
    async def remove(self, call: Call, request: GrantId) -> Done:
        """Take a grant back; no connection is made by it from now on."""
        actor = await self._require(call.actor, request.id)
        record = await self._records.remove(request.id, request.grant)
        what = f"the secret {record.secret} at " if record.secret else ""
        audit.info(
            "%s took back from canvas %s %s%s",
            actor.email,
            request.id,
            what,
            ", ".join(record.hosts),
        )
        return Done()

    def _may(self, actor: Actor, access: CanvasAccess) -> bool:
        owners = self._grantors == "owners" and allowed(actor, "canvas.grant_own", access)
        return owners or allowed(actor, "canvas.grant", access)

    async def _require(self, actor: Actor | None, canvas: str) -> Actor:
        access = await self._access(canvas)
        return require(
            actor, "canvas.grant_own" if self._grantors == "owners" else "canvas.grant", access
        )

    def _patterns(self, actor: Actor, hosts: list[str]) -> list[HostPattern]:
        found: list[HostPattern] = []
        for place, text in enumerate(hosts):
            try:
                pattern = HostPattern.parse(text)
            except ValueError as error:
                raise BadRequest(
                    str(error),
                    details={"errors": [{"field": f"hosts.{place}", "message": str(error)}]},
                ) from error
            if pattern.private and not actor.is_admin:
                raise Forbidden(
                    f"{pattern} is an address of this machine or of a private network;"
                    " only an administrator grants those"
                )
            found.append(pattern)
        return list(dict.fromkeys(found))

    async def _require_secret(self, actor: Actor, canvas: str, secret: str) -> None:
        """Raise NotFound unless it is the canvas's, or the actor's own: not even an administrator lends another's."""
        record = await self._secrets.get(secret)
        if record.canvas_id != canvas and record.user_id != actor.user_id:
            raise NotFound("There is no such secret", details={"secret": secret})


def _view(record: GrantRecord) -> GrantView:
    return GrantView(
        id=record.id,
        hosts=record.hosts,
        secret=record.secret,
        by=record.granted_by,
        created_at=record.created_at,
    )
