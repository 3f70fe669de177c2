"""``GET /metrics``: what workers use, for Prometheus; for this machine and for administrators' API keys."""

from __future__ import annotations

from ipaddress import ip_address

from aiohttp import web

from spellwork_server.errors import Forbidden, ServerError
from spellwork_server.identity import require
from spellwork_server.identity.authenticator import Authenticator
from spellwork_server.settings import Settings
from spellwork_server.workers import Workers
from spellwork_server.workers.meters import prometheus

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Headers by which a proxy says that it asks for somebody else."""


class Metrics:
    """Answers who may read."""

    def __init__(self, workers: Workers, authenticator: Authenticator, settings: Settings) -> None:
        self._workers = workers
        self._authenticator = authenticator
        self._for = settings.metrics_for

    def attach(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_get("/metrics", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer the metrics in Prometheus's text format; 401 or 403 for others than may read them."""
        try:
            await self._check(request)
        except ServerError as error:
            return web.json_response({"error": error.to_json()}, status=error.status)
        return web.Response(
            text=prometheus(self._workers.all()),
            headers={
                "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
                "Cache-Control": "no-store",
            },
        )

    async def _check(self, request: web.Request) -> None:
        if self._for == "everybody" or (self._for == "loopback" and _is_near(request)):
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        actor = None
        if scheme.lower() == "bearer" and token:
            actor = await self._authenticator.authenticate(token.strip())
        actor = require(actor, "worker.manage")
        if actor.api_key is None:
            raise Forbidden("Metrics are read with an API key of an administrator")


def _is_near(request: web.Request) -> bool:
    """Say whether a request comes from this very machine, and not through a proxy on it."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
