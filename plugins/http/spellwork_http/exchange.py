"""One exchange: a request, its redirects, and the answer, within limits."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import httpx

from .destinations import Destinations, Resolve, resolve
from .errors import (
    AddressDenied,
    InvalidUrl,
    RequestTimeout,
    ResponseTooLarge,
    TooManyRedirects,
    Unreachable,
)

MAX_BYTES = 10 * 1024 * 1024
"""Bytes of an answer, unpacked."""

MAX_REDIRECTS = 5

AGENT = "spellwork"
"""What requests call themselves unless a node says otherwise."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. ``content`` is the body; ``timeout`` seconds for the whole exchange."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None = None
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. Header names are in lower case; ``body`` is unpacked."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    encoding: str

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def read_url(text: str, query: Mapping[str, str]) -> httpx.URL:
    """Return the URL with the query added.

    Raises:
        InvalidUrl: it is no http or https URL with a host.
    """
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise InvalidUrl(text, str(error)) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidUrl(text, "an http:// or https:// URL with a host is needed")
    return url.copy_merge_params(query) if query else url


class Exchange:
    """Sends requests by the rule of where they may go. ``resolve`` finds the addresses of a host."""

    def __init__(
        self, destinations: Destinations, *, resolve: Resolve = resolve, max_bytes: int = MAX_BYTES
    ) -> None:
        self._destinations = destinations
        self._resolve = resolve
        self._max_bytes = max_bytes

    async def send(self, request: Request) -> Answer:
        """Send the request, follow its redirects and return the answer, whatever its status.

        Raises:
            RequestError: see ``errors.py``.
        """
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _OWN_HEADERS
        }
        request = replace(request, headers={"user-agent": AGENT, **_lowered(headers)})
        try:
            async with asyncio.timeout(request.timeout), self._client() as client:
                for _ in range(MAX_REDIRECTS + 1):
                    answer = await self._once(client, request)
                    target = answer.headers.get("location")
                    if answer.status not in _REDIRECTS or not target:
                        return answer
                    request = redirected(request, answer.status, target)
        except TimeoutError as error:
            raise RequestTimeout(
                str(request.url), f"no whole answer in {request.timeout:g} s"
            ) from error
        raise TooManyRedirects(str(request.url), f"more than {MAX_REDIRECTS} redirects")

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(  # noqa: S113 - asyncio.timeout bounds the whole exchange
            verify=_trust(), trust_env=False, follow_redirects=False, timeout=None
        )

    async def _once(self, client: httpx.AsyncClient, request: Request) -> Answer:
        problem: Exception | None = None
        for address in await self._addresses(request.url):
            try:
                return await self._to(client, request, address)
            except httpx.ConnectError as error:
                problem = error
            except httpx.HTTPError as error:
                raise Unreachable(
                    str(request.url), f"the connection broke: {str(error) or type(error).__name__}"
                ) from error
        raise Unreachable(str(request.url), f"no connection could be made: {problem}") from problem

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Return the addresses of the URL's host that may be reached."""
        try:
            found = await self._resolve(url.host, _port(url))
        except (OSError, UnicodeError) as error:
            raise Unreachable(str(url), f"the host {url.host!r} is not known: {error}") from error
        allowed = [address for address in found if self._destinations.allows(url.host, address)]
        if not allowed:
            raise AddressDenied(
                str(url),
                f"{url.host} is at a private address, which spells may not reach; "
                "the operator can allow it with SPELLWORK_HTTP_ALLOW",
                host=url.host,
            )
        return allowed

    async def _to(self, client: httpx.AsyncClient, request: Request, address: str) -> Answer:
        """Send to this very address, under the name of the host."""
        message = client.build_request(
            request.method,
            request.url.copy_with(host=address),
            headers={**request.headers, "host": request.url.netloc.decode("ascii")},
            content=request.content,
            extensions={"sni_hostname": request.url.host},
        )
        response = await client.send(message, stream=True)
        try:
            body = await self._body(request.url, response)
        finally:
            await response.aclose()
        return Answer(
            url=str(request.url),
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            encoding=response.charset_encoding or "utf-8",
        )

    async def _body(self, url: httpx.URL, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise ResponseTooLarge(
                    str(url),
                    f"the answer is larger than {self._max_bytes:,} bytes",
                    limit=self._max_bytes,
                )
        return bytes(body)


def redirected(request: Request, status: int, target: str) -> Request:
    """Return the request that a redirect asks for, as RFC 9110 says; credentials stay with their origin."""
    try:
        url = request.url.join(target)
    except httpx.InvalidURL as error:
        raise InvalidUrl(target, f"a redirect leads to no URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidUrl(str(url), "a redirect leads away from http and https")
    headers, method, content = dict(request.headers), request.method, request.content
    if (url.scheme, url.host, _port(url)) != (
        request.url.scheme,
        request.url.host,
        _port(request.url),
    ):
        headers = {name: value for name, value in headers.items() if name not in _PRIVATE_HEADERS}
    if status == 303 or (status in (301, 302) and method == "POST"):
        method, content = ("HEAD" if method == "HEAD" else "GET"), None
        headers.pop("content-type", None)
    return replace(request, url=url, method=method, content=content, headers=headers)


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Return the certificates to trust, loaded once: it takes some 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
