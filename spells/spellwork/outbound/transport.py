"""An httpx transport that connects only where the operator lets spells connect.

Redirects pass through it like first requests. The connection is made to an
address that was checked, under the name that was asked for: resolving the name
a second time could give another address.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache

import httpx

from spellwork.errors import NodeError

from .destinations import ALLOW, Destinations, Resolve, resolve
from .holding import HeldSecret, held

_LARGE = 256 * 1024
"""Bytes that are not looked through on the event loop."""


class AddressDenied(NodeError):
    """The destination is at a private address, and the operator has not allowed it."""

    code = "address_denied"
    retryable = False

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is at a private address, which spells may not reach; the operator can allow it with {ALLOW}",
            details={"host": host},
        )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks each request's destination by a rule; ``resolve`` finds the addresses of a host."""

    def __init__(self, destinations: Destinations, *, resolve: Resolve = resolve) -> None:
        self._destinations = destinations
        self._resolve = resolve
        self._inner = httpx.AsyncHTTPTransport(verify=_trust(), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the first allowed address that takes the connection.

        Raises:
            AddressDenied: none of the host's addresses is allowed.
            NodeError: a secret is in it that may not go there (``holding``).
        """
        request = await _held_to_hosts(request)
        problem: httpx.ConnectError | None = None
        for address in await self._addresses(request):
            try:
                return await self._inner.handle_async_request(_sent_to(request, address))
            except httpx.ConnectError as error:
                problem = error
        assert problem is not None
        raise problem

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _addresses(self, request: httpx.Request) -> list[str]:
        host, port = _place(request)
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(
                f"the host {host!r} is not known ({error})", request=request
            ) from error
        allowed = [address for address in found if self._destinations.allows(host, address)]
        if not allowed:
            raise AddressDenied(host)
        return allowed


def _place(request: httpx.Request) -> tuple[str, int]:
    return request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)


async def _held_to_hosts(request: httpx.Request) -> httpx.Request:
    """Return a request that brings no secret to where it may not go; raises NodeError where one is in it."""
    host, port = _place(request)
    watched = [each for each in held() if not await each.may_go(host, port)]
    if not watched:
        return request
    head = [str(request.url).encode(), *(part for pair in request.headers.raw for part in pair)]
    try:
        body = request.content
    except httpx.RequestNotRead:
        body = None
    for secret in watched:
        if any(map(secret.is_in, head)) or (body and await _is_in(secret, body)):
            raise await secret.refusal(host, port)
    if body is not None:
        return request
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=_Watched(request.stream, watched, host, port),
        extensions=request.extensions,
    )


async def _is_in(secret: HeldSecret, content: bytes) -> bool:
    if len(content) < _LARGE:
        return secret.is_in(content)
    return await asyncio.to_thread(secret.is_in, content)


class _Watched(httpx.AsyncByteStream):
    """A body that is made as it goes: it ends before a secret that may not go there."""

    def __init__(
        self,
        inner: httpx.SyncByteStream | httpx.AsyncByteStream,
        secrets: Sequence[HeldSecret],
        host: str,
        port: int,
    ) -> None:
        self._inner = inner
        self._secrets = secrets
        self._place = (host, port)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        back = max(each.longest for each in self._secrets)
        kept = b""
        async for part in _parts(self._inner):
            kept += part
            for secret in self._secrets:
                if await _is_in(secret, kept):
                    raise await secret.refusal(*self._place)
            if len(kept) > back:
                yield kept[:-back]
                kept = kept[-back:]
        yield kept

    async def aclose(self) -> None:
        if isinstance(self._inner, httpx.AsyncByteStream):
            await self._inner.aclose()


async def _parts(stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    if isinstance(stream, httpx.AsyncByteStream):
        async for part in stream:
            yield part
    else:
        for part in stream:
            yield part


def _sent_to(request: httpx.Request, address: str) -> httpx.Request:
    """Return the request for this very address; its Host header and its certificate's name stay."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Return the certificates to trust, loaded once: it takes some 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
