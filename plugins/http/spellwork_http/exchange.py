"""One exchange: a request, its redirects, and the answer, within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spellwork.outbound import Destinations
from spellwork.outbound.destinations import Resolve, resolve

from .errors import InvalidUrl, RequestTimeout, ResponseTooLarge, TooManyRedirects, Unreachable

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 10 * 1024 * 1024
"""Bytes of an answer, unpacked."""

MAX_REDIRECTS = 5

AGENT = "spellwork"
"""What requests call themselves unless a node says otherwise."""

_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)


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
    import httpx  # noqa: PLC0415 - a server whose nodes ask nobody needs none

    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise InvalidUrl(text, str(error)) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidUrl(text, "an http:// or https:// URL with a host is needed")
    return url.copy_merge_params(query) if query else url


def host_of(inputs: Mapping[str, Any]) -> str | None:
    """Return the host that a call with these inputs asks; None where its URL is none."""
    try:
        return read_url(str(inputs.get("url")), {}).host
    except InvalidUrl:
        return None


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
            AddressDenied: it, or a redirect, leads where spells may not go.
        """
        import httpx  # noqa: PLC0415 - loaded with the URL

        url = str(request.url)
        try:
            async with asyncio.timeout(request.timeout), self._client() as client:
                return await self._answer(client, request)
        except TimeoutError as error:
            raise RequestTimeout(url, f"no whole answer in {request.timeout:g} s") from error
        except httpx.TooManyRedirects as error:
            raise TooManyRedirects(url, f"more than {MAX_REDIRECTS} redirects") from error
        except httpx.ConnectError as error:
            raise Unreachable(url, f"no connection could be made: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                url, f"the exchange broke: {str(error) or type(error).__name__}"
            ) from error

    def _client(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - loaded with the URL

        from spellwork.outbound import GuardedTransport  # noqa: PLC0415 - it imports httpx

        return httpx.AsyncClient(
            transport=GuardedTransport(self._destinations, resolve=self._resolve),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            timeout=httpx.Timeout(None),
        )

    async def _answer(self, client: httpx.AsyncClient, request: Request) -> Answer:
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        own = {name: value for name, value in headers.items() if name not in _OWN_HEADERS}
        sent = {"user-agent": AGENT, **own}
        async with client.stream(
            request.method, request.url, headers=sent, content=request.content
        ) as response:
            return Answer(
                url=str(response.url),
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=await self._body(response),
                encoding=response.charset_encoding or "utf-8",
            )

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise ResponseTooLarge(
                    str(response.url),
                    f"the answer is larger than {self._max_bytes:,} bytes",
                    limit=self._max_bytes,
                )
        return bytes(body)
