"""REST: every operation that names a route, behind one door.

The door does what all routes share: origin and authentication, parsing a
bounded JSON body, and answering every refusal in one shape, be it the
operation's, the router's or a fault of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, cast
from urllib.parse import quote

import msgspec
from aiohttp import web

from spellwork_server.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    ServerError,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
    internal,
)
from spellwork_server.identity import Actor
from spellwork_server.identity.authenticator import Authenticator
from spellwork_server.identity.origin import origin_allowed
from spellwork_server.identity.tokens import SESSION_COOKIE
from spellwork_server.settings import Settings
from spellwork_server.strict_json import read_json

from .registry import Registry
from .service import Call, Document, EventStream, Operation, ServerSentEvent
from .sse import send_events

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""Inline styles are React Flow's; there are no inline scripts and no eval."""


class RestApi:
    """Mounts a registry's operations on an aiohttp application."""

    def __init__(
        self, registry: Registry, authenticator: Authenticator, settings: Settings
    ) -> None:
        self._registry = registry
        self._authenticator = authenticator
        self._settings = settings
        self._streams: set[asyncio.Task[Any]] = set()

    def mount(self, app: web.Application) -> None:
        """Add the routes and the door in front of them."""
        app.middlewares.append(self._door)
        app.on_response_prepare.append(_secure)
        app.on_shutdown.append(self._end_streams)
        for operation in self._registry.operations.values():
            if operation.rest is not None:
                method, path = operation.rest
                app.router.add_route(method, path, self._route(operation))

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            self._check_origin(request)
            response: web.StreamResponse = await handler(request)
        except ServerError as error:
            return refusal(error)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return refusal(_from_http(request, error))
        except (ConnectionResetError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the edge of every request: answered with an id, logged with a traceback
            return refusal(internal(f"{request.method} {request.path}", error))
        return response

    def _check_origin(self, request: web.Request) -> None:
        if request.method not in SAFE_METHODS and not origin_allowed(
            request.headers, self._settings
        ):
            raise Forbidden(
                "A page of another origin may not do this",
                code="origin_refused",
                details={"origin": request.headers.get("Origin"), "allowed": self._settings.url},
            )

    def _route(self, operation: Operation) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            call = Call(await self._actor(request, operation), request=request)
            if call.actor is None and not operation.public:
                raise Unauthenticated("Sign in first: this needs an access token or an API key")
            payload = await _payload(request)
            answer = await self._registry.run(operation, payload, call)
            if isinstance(answer, EventStream):
                return await self._stream(request, answer, call.actor)
            if isinstance(answer, Document):
                return _document(answer)
            return self._response(operation, answer, call)

        return handle

    async def _actor(self, request: web.Request, operation: Operation) -> Actor | None:
        """Return who calls. A bad proof is refused, except where none is needed."""
        token = bearer(request) or request.cookies.get(SESSION_COOKIE)
        if not token:
            return None
        try:
            return await self._authenticator.authenticate(token)
        except Unauthenticated:
            if operation.public:
                return None
            raise

    def _response(self, operation: Operation, answer: dict[str, Any], call: Call) -> web.Response:
        response = json_response(answer, status=operation.status)
        response.headers.update(call.headers)
        for cookie in call.cookies:
            response.set_cookie(
                cookie.name,
                cookie.value,
                path=cookie.path,
                max_age=cookie.max_age,
                httponly=True,
                samesite="Strict",
                secure=self._settings.url.startswith("https:"),
            )
        return response

    async def _stream(
        self, request: web.Request, stream: EventStream, actor: Actor | None
    ) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            return await send_events(request, self._while_proven(stream.events, actor))
        finally:
            self._streams.discard(task)

    async def _while_proven(
        self, events: AsyncIterator[ServerSentEvent], actor: Actor | None
    ) -> AsyncIterator[ServerSentEvent]:
        """Give events until the sign-in or key that asked for them is revoked."""
        async with aclosing(cast("AsyncGenerator[ServerSentEvent]", events)):
            async for event in events:
                try:
                    if actor is not None:
                        await self._authenticator.current(actor)
                except Unauthenticated:
                    return
                yield event

    async def _end_streams(self, _app: web.Application) -> None:
        """Let go of those who follow a run, so that a stop need not wait for it."""
        for task in self._streams:
            task.cancel()


def bearer(request: web.Request) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header. Raises Unauthenticated for another scheme."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "The Authorization header must be: Bearer TOKEN_OR_API_KEY", code="token_invalid"
        )
    return token.strip()


def json_response(value: Any, *, status: int = 200) -> web.Response:
    """Return a JSON answer that no cache keeps."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _document(document: Document) -> web.Response:
    """Return a file that a browser saves, and never shows."""
    charset = "utf-8" if document.media_type.startswith("text/") else None
    return web.Response(
        body=document.content,
        content_type=document.media_type,
        charset=charset,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.name, safe='')}",
        },
    )


def refusal(error: ServerError) -> web.Response:
    """Return an error as REST answers it."""
    response = json_response({"error": error.to_json()}, status=error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.details["allowed"])
    return response


async def _payload(request: web.Request) -> dict[str, Any]:
    """Merge body, query and path into the one object that the operation takes."""
    payload = await _body(request)
    query = {key: _query_value(request, key) for key in request.query}
    for source, fields in (("query", query), ("path", dict(request.match_info))):
        for key, value in fields.items():
            if payload.setdefault(key, value) != value:
                raise BadRequest.field(key, f"differs from the one in the {source}", value)
    return payload


def _query_value(request: web.Request, key: str) -> str | list[str]:
    values = request.query.getall(key)
    return values[0] if len(values) == 1 else values


async def _body(request: web.Request) -> dict[str, Any]:
    if not request.can_read_body:
        return {}
    body = await request.read()
    if not body:
        return {}
    if request.content_type != "application/json":
        raise UnsupportedMediaType(
            f"The body must be application/json, not {request.content_type}",
            details={"allowed": ["application/json"]},
        )
    try:
        value = read_json(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}", code="malformed_json") from error
    if not isinstance(value, dict):
        raise BadRequest(f"The body must be a JSON object, not {type(value).__name__}")
    return value


def _from_http(request: web.Request, error: web.HTTPException) -> ServerError:
    """Return the router's refusal in our shape."""
    match error:
        case web.HTTPMethodNotAllowed():
            allowed = sorted(error.allowed_methods)
            return MethodNotAllowed(
                f"{request.path} does not take {request.method}", details={"allowed": allowed}
            )
        case web.HTTPRequestEntityTooLarge():
            limit = request.client_max_size
            return TooLarge(f"The body is over {limit} bytes", details={"limit": limit})
        case web.HTTPNotFound():
            return NotFound(
                f"There is no {request.path}", code="unknown_route", details={"path": request.path}
            )
        case _:
            return BadRequest(error.reason)


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    headers: Mapping[str, str] = SECURITY_HEADERS
    response.headers["Server"] = "Spellwork"
    for name, value in headers.items():
        response.headers.setdefault(name, value)
