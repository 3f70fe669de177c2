"""``POST /v1/hooks/{id}``: what is sent to the address of a webhook, by anybody who knows its secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from aiohttp import web

from spellwork.values import to_data_url
from spellwork_server.errors import (
    BadRequest,
    Conflict,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from spellwork_server.grants.vault import UnknownKeyError, Vault
from spellwork_server.identity.attempts import Attempts
from spellwork_server.services.rest import json_response
from spellwork_server.storage.triggers import FiringRecord, TriggerRecord
from spellwork_server.strict_json import read_json

from .firing import Came, NotNow, nothing
from .kinds import WebhookSettings, read_settings
from .signing import NotProven, Secret, from_text, proven_by_signature, proven_by_token
from .triggers import Triggers

PATH = "/v1/hooks/{id}"
MAX_BODY = 1024 * 1024
FAILED_PER_MINUTE = 60
"""Messages without proof that one network address may send in a minute."""

_CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")

logger = logging.getLogger(__name__)


class Hooks:
    """The route. No cookie, access token or API key counts here, and no answer tells of a spell."""

    def __init__(self, triggers: Triggers, vault: Callable[[], Vault]) -> None:
        self._triggers = triggers
        self._vault = vault
        self._failed = Attempts(FAILED_PER_MINUTE, FAILED_PER_MINUTE)

    def attach(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_post(PATH, self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        body = await _body(request)
        trigger = await self._triggers.records.find(request.match_info["id"][:64])
        if trigger is None or trigger.kind != "webhook" or trigger.sealed is None:
            self._failed.note_address(request.remote or "")
            raise NotFound("There is no such hook")
        settings: WebhookSettings = read_settings(trigger.kind, trigger.settings)
        id = self._proven(request, trigger, settings, body)
        if not trigger.enabled:
            raise Conflict("This hook is turned off", code="trigger_disabled")
        return await self._fire(trigger, settings, request, id, body)

    def _proven(
        self, request: web.Request, trigger: TriggerRecord, settings: WebhookSettings, body: bytes
    ) -> str | None:
        """Return the message's id. Raises Unauthenticated, RateLimited."""
        now, secrets = self._triggers.firer.clock(), self._secrets(trigger)
        try:
            if settings.proof == "bearer":
                return proven_by_token(secrets, request.headers, now)
            return proven_by_signature(secrets, request.headers, body, now)
        except NotProven as error:
            self._failed.note_address(request.remote or "")
            logger.info("a message to hook %s was refused: %s", trigger.id, error)
            raise Unauthenticated(f"Refused: {error}", code="signature_invalid") from error

    def _secrets(self, trigger: TriggerRecord) -> list[Secret]:
        assert trigger.sealed is not None
        try:
            return from_text(self._vault().decrypt(trigger.id, trigger.sealed))
        except UnknownKeyError as error:
            logger.error("%s", error)  # noqa: TRY400 - its traceback says no more
            raise Unavailable("The hook's secret cannot be read") from error

    async def _fire(
        self,
        trigger: TriggerRecord,
        settings: WebhookSettings,
        request: web.Request,
        id: str | None,
        body: bytes,
    ) -> web.Response:
        now = self._triggers.firer.clock()
        key = f"hook:{id or uuid4().hex}"
        values = {
            "id": id,
            "due": now,
            "body": _value(request, body),
            "headers": {
                name: request.headers[name] for name in settings.headers if name in request.headers
            },
        }
        try:
            fired = await self._triggers.firer.fire(trigger, Came(key, now, values), nothing)
        except NotNow as error:
            unavailable = Unavailable("Not now; send it again", details={"retry_after": 5})
            raise unavailable from error
        if fired is None:
            return _again(await self._triggers.records.firing(trigger.id, key))
        if fired.outcome == "refused":
            raise Conflict("The message was taken and started nothing", code="trigger_refused")
        return _told(fired, 202, duplicate=False)


def _again(known: FiringRecord | None) -> web.Response:
    """Answer a message that has come before as it was answered then: its sender may not have heard."""
    if known is None:
        raise NotFound("There is no such hook")
    return _told(known, 200, duplicate=True)


def _told(firing: FiringRecord, status: int, *, duplicate: bool) -> web.Response:
    answer = {
        "firing": firing.id,
        "outcome": firing.outcome,
        "run": firing.run_id,
        "duplicate": duplicate,
    }
    return json_response(answer, status=status)


async def _body(request: web.Request) -> bytes:
    """Return the body as it was sent. Raises TooLarge before more than that is held."""
    found = bytearray()
    async for part in request.content.iter_chunked(64 * 1024):
        found += part
        if len(found) > MAX_BODY:
            raise TooLarge(f"The body is over {MAX_BODY:,} bytes", details={"limit": MAX_BODY})
    return bytes(found)


def _value(request: web.Request, body: bytes) -> object:
    """Return a body by its content type: JSON, text, or bytes as a ``data:`` URL."""
    kind = request.content_type
    if not body:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return read_json(body)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"The body is not JSON: {error}", code="malformed_json") from error
    if kind.startswith("text/") or kind == "application/x-www-form-urlencoded":
        charset = (request.charset or "utf-8").lower()
        return body.decode(charset if charset in _CHARSETS else "utf-8", "replace")
    return to_data_url(body, kind)
