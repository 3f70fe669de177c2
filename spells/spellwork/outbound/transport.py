"""An httpx transport that connects only where the operator lets spells connect.

Redirects pass through it like first requests. The connection is made to an
address that was checked, under the name that was asked for: resolving the name
a second time could give another address.
"""

from __future__ import annotations

import ssl
from functools import lru_cache

import httpx

from spellwork.errors import NodeError

from .destinations import ALLOW, Destinations, Resolve, resolve


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
        """
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
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
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
