"""``make_app``: the server as an application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import web

from .assembly.operations import fill_registry
from .assembly.parts import Parts, join_parts
from .external.endpoint import ExternalEndpoint
from .first_start import prepare_first_start
from .metrics import Metrics
from .samples import samples
from .services.asyncapi import asyncapi_document
from .services.openapi import openapi_document
from .services.rest import RestApi, json_response
from .settings import Settings
from .static_files import StaticFiles
from .storage.database import Database
from .storage.turns import Turns
from .storage.upgrade import upgrade
from .tasks import TaskTimer
from .triggers import hooks
from .triggers.hook_document import hook_document
from .version import VERSION

PARTS = web.AppKey("parts", Parts)


def make_app(settings: Settings) -> web.Application:
    """Return the server as an application. Nothing is opened before the application starts."""
    parts = make_parts(settings)
    app = web.Application(client_max_size=settings.max_body_bytes)
    app[PARTS] = parts
    RestApi(parts.registry, parts.identity.authenticator, settings).mount(app)
    parts.y_websockets.attach(app)
    parts.sockets.attach(app)
    ExternalEndpoint(parts.running.external).attach(app)
    parts.triggering.hooks.attach(app)
    Metrics(parts.running.places, parts.identity.authenticator, settings).attach(app)
    _mount_documents(app, parts)
    StaticFiles().mount(app)
    stores, running = parts.stores, parts.running
    app.cleanup_ctx.append(_entering(stores.database))
    app.cleanup_ctx.append(_upgraded(stores.database))
    if not stores.database.is_sqlite:
        app.cleanup_ctx.append(_entering(Turns(stores.database)))
    in_order: tuple[AbstractAsyncContextManager[Any], ...] = (
        stores.commits,
        running.cache,
        running.workers,
        running.external,
        running.journal,
        *running.telling.parts,
        parts.comment_places,
        parts.edit_times,
        parts.versions,
        parts.rooms,
        running.places,
        running.packs,
        running.tasks,
        running.processes,  # ends what dead ones left, and what that asked people
        running.runners,
        TaskTimer(running.tasks),
        running.endings,
        running.progress,
        running.dispatcher,
        running.gone,
        running.retention,
        parts.triggering.triggers,
        parts.completer,
        parts.canvas_sockets,
        parts.y_websockets,
        parts.sockets,
    )
    for part in in_order:
        app.cleanup_ctx.append(_entering(part))
    app.cleanup_ctx.append(_ready(parts))
    return app


def make_parts(settings: Settings) -> Parts:
    """Return all parts, with every operation in their registry. Nothing is opened yet."""
    parts = join_parts(settings)
    fill_registry(parts)
    return parts


def _mount_documents(app: web.Application, parts: Parts) -> None:
    """Serve the health report, and the documents that describe both transports."""
    url = parts.settings.url

    async def healthz(_request: web.Request) -> web.Response:
        status, report = parts.health.report()
        return json_response(report, status=status)

    async def openapi(_request: web.Request) -> web.Response:
        others = {("POST", hooks.PATH): hook_document()}
        return json_response(
            openapi_document(parts.registry, version=VERSION, url=url, others=others)
        )

    async def asyncapi(_request: web.Request) -> web.Response:
        return json_response(asyncapi_document(parts.registry, version=VERSION, url=url))

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/openapi.json", openapi)
    app.router.add_get("/asyncapi.json", asyncapi)


Context = Callable[[web.Application], AsyncIterator[None]]


def _entering(part: AbstractAsyncContextManager[Any]) -> Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        async with part:
            yield

    return context


def _upgraded(database: Database) -> Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        await upgrade(database)
        yield

    return context


def _ready(parts: Parts) -> Context:
    """Prepare a first start, then say so in the health report; say when that ends."""

    async def context(_app: web.Application) -> AsyncIterator[None]:
        await prepare_first_start(
            parts.identity.accounts, parts.stores.canvases, parts.rooms, samples()[0]["spell"]
        )
        parts.health.ready = True
        yield

    return context
