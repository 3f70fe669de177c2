"""What canvases were granted, asked anew at every use, so that what is taken back counts at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from spellwork.errors import NodeError, SecretMissing
from spellwork.outbound.holding import hold
from spellwork.outbound.lookups import Lookups
from spellwork.workers.broker import Caller, whose
from spellwork_server.errors import NotFound
from spellwork_server.storage.grants import GrantRecords
from spellwork_server.storage.secrets import SecretRecords

from .held import HeldOfCanvas
from .hosts import HostPattern
from .masking import Masks, RunSecrets
from .requests import GrantedSecret, make_request
from .vault import UnknownKeyError, Vault

MAX_MASKS = 10_000
"""Canvases whose masks are kept before those without a secret are let go."""

logger = logging.getLogger(__name__)


class CanvasGrants:
    """Answers the broker of workers, and nodes of the server that declare secrets."""

    def __init__(
        self,
        grants: GrantRecords,
        secrets: SecretRecords,
        vault: Callable[[], Vault],
        lookups: Lookups | None = None,
    ) -> None:
        self._lookups = lookups or Lookups()
        self._grants = grants
        self._secrets = secrets
        self._vault = vault
        self._masks: dict[str, Masks] = {}

    async def may_reach(self, caller: Caller, host: str, port: int) -> bool:
        """Say whether code of a canvas may connect to a host now; a run without a canvas may to none."""
        if caller.canvas is None:
            return False
        return any(
            covers(grant.hosts, host, port)
            for grant in await self._grants.of_canvas(caller.canvas)
            if grant.secret_id is None
        )

    async def answer(self, caller: Caller, what: str, fields: dict[str, Any]) -> Any:
        """Do what code asks for. Raises NodeError.

        A ``request`` has a secret in it; a ``fetch`` is of code that cannot connect by itself, and
        needs none to go where its canvas may connect.
        """
        find = partial(self._lookups.find, whose=whose(caller))
        if what == "fetch":
            reach = partial(self.may_reach, caller)
            return await make_request(fields, await self.granted_secrets(caller), find, reach)
        if what != "request":
            raise NodeError(f"the server does not know {what[:40]!r}", code="bad_request")
        return await make_request(fields, await self.granted_secrets(caller), find)

    async def granted_secrets(self, caller: Caller) -> dict[str, GrantedSecret]:
        """Return the secrets that a canvas was granted, by name; each decrypts only when it is used."""
        if caller.canvas is None:
            return {}
        found: dict[str, GrantedSecret] = {}
        for grant in await self._grants.of_canvas(caller.canvas):
            if grant.secret_id is not None and grant.secret is not None:
                patterns = tuple(HostPattern.parse(host) for host in grant.hosts)
                found.setdefault(
                    grant.secret,
                    GrantedSecret(grant.secret, patterns, self._opener(grant.secret_id)),
                )
        return found

    async def secret(self, canvas: str | None, user: str, name: str) -> str:
        """Return a secret for a node of the server: one granted to the canvas, or, without a canvas, one's own.

        One of a canvas is held to the hosts for which it was granted in what the node requests.

        Raises:
            SecretMissing: there is none.
        """
        if canvas is not None:
            granted = (await self.granted_secrets(Caller(canvas, user))).get(name)
            if granted is not None:
                value = await granted.value()
                hold(HeldOfCanvas(canvas, name, value, self.granted_secrets))
                return value
            raise SecretMissing(f"no secret named {name!r} was granted to this canvas")
        for record in await self._secrets.of_user(user):
            if record.name == name:
                return self._decrypt(record.id, record.value)
        raise SecretMissing(f"you keep no secret named {name!r} here")

    def of_run(self, canvas: str | None, user: str) -> RunSecrets:
        """Return what gives the nodes of a run their secrets.

        What was used on a canvas once is masked in all runs there from then on: outputs are
        used again in runs that use no secret themselves.
        """
        if len(self._masks) > MAX_MASKS:  # most are of canvases that never used a secret
            self._masks = {key: masks for key, masks in self._masks.items() if masks}
        masks = self._masks.setdefault(canvas or user, Masks())
        return RunSecrets(masks.adding(partial(self.secret, canvas, user)), masks)

    def _opener(self, id: str) -> Any:
        async def value() -> str:
            try:
                record = await self._secrets.get(id)
            except NotFound as error:
                raise SecretMissing("the secret was removed") from error
            return self._decrypt(id, record.value)

        return value

    def _decrypt(self, id: str, sealed: bytes) -> str:
        try:
            return self._vault().decrypt(id, sealed)
        except UnknownKeyError as error:
            logger.error("%s", error)  # noqa: TRY400 - its traceback says no more
            raise SecretMissing("the secret cannot be read: the server's key is another") from error


def covers(hosts: Sequence[str], host: str, port: int) -> bool:
    """Say whether any of the granted hosts covers this one."""
    return any(HostPattern.parse(each).covers(host, port) for each in hosts)
