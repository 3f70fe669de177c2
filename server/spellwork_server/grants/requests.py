"""Requests that the server makes for cells, with secrets that the cells never see.

A secret goes only to hosts for which it was granted; the address that a name leads to is
judged and then connected to, so that nothing can lead elsewhere in between. What comes
back is bounded, and every trace of a secret in it is masked: as it is, and as the usual
encodings of a request make it look.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spellwork.errors import NodeError
from spellwork.workers.addresses import as_address, choose, normal_host
from spellwork.workers.broker import not_granted

from .masking import Masks

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from .hosts import HostPattern

MAX_ANSWER = 8 * 1024 * 1024
"""Bytes of an answer's body."""

MAX_REDIRECTS = 5
_PLACE = re.compile(r"\{\{\s*secret\.([A-Za-z_][A-Za-z0-9_-]{0,63})\s*\}\}")
_DEPTH = 32
_REDIRECTS = (301, 302, 303, 307, 308)


Finds = Callable[[str, int], Awaitable[Iterable[str]]]
"""Looks up the addresses of a host; raises OSError."""


class RequestRefused(NodeError):
    """The request is not made, or gave nothing that can be told."""

    code = "request_refused"
    retryable = False


@dataclass(frozen=True, slots=True)
class GrantedSecret:
    """A secret, where it may go, and what decrypts it."""

    name: str
    hosts: tuple[HostPattern, ...]
    value: Callable[[], Awaitable[str]]


class AskedRequest(BaseModel):
    """What a cell asks for. ``content`` is a body as it is, ``json`` one to be written as JSON."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(pattern=r"^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$")
    url: str = Field(max_length=8_192)
    headers: dict[str, str] = Field(default={}, max_length=100)
    params: dict[str, str] = Field(default={}, max_length=200)
    data: Any = Field(default=None, alias="json")
    content: bytes | str | None = None
    timeout: float = Field(default=30, gt=0, le=300)


async def make_request(
    fields: Mapping[str, Any],
    granted: Mapping[str, GrantedSecret],
    find: Finds,
    may_reach: Callable[[str, int], Awaitable[bool]] | None = None,
) -> dict[str, Any]:
    """Make a request; return its ``status``, ``headers``, ``content`` and ``url``. Raises RequestRefused.

    ``find`` looks names up (``Lookups.find``). ``may_reach`` says where one without a secret may go, for code that cannot connect by itself.
    """
    filling = _Filling(granted, find, may_reach)
    try:
        asked = AskedRequest.model_validate(fields)
        url = _url(asked)
        sent = await _filled(asked, filling)
        async with asyncio.timeout(asked.timeout):
            return await _fetched(asked, url, sent, filling)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestRefused(f"the request's {where or 'fields'}: {first['msg']}") from None
    except TimeoutError:
        raise NodeError("the host did not answer in time", code="timeout") from None


@dataclass(slots=True)
class _Filling:
    """The secrets that one request uses."""

    granted: Mapping[str, GrantedSecret]
    find: Finds
    may_reach: Callable[[str, int], Awaitable[bool]] | None = None
    used: dict[str, str] = field(default_factory=dict)
    masks: Masks = field(default_factory=Masks)

    async def text(self, text: str) -> str:
        """Return a text with its secrets filled in."""
        for name in dict.fromkeys(_PLACE.findall(text)):
            if name not in self.used:
                if name not in self.granted:
                    raise RequestRefused(
                        f"this canvas was not granted a secret {name!r}; who owns it grants it, with the"
                        " hosts to which it may go"
                    )
                self.used[name] = self.masks.add(await self.granted[name].value())
        return _PLACE.sub(lambda match: self.used[match[1]], text)

    async def plain(self, value: Any, depth: int = 0) -> Any:
        """Do the same in all strings of plain JSON."""
        if depth > _DEPTH:
            raise RequestRefused("the request's json is nested too deep")
        if isinstance(value, str):
            return await self.text(value)
        if isinstance(value, list):
            return [await self.plain(each, depth + 1) for each in value]
        if isinstance(value, dict):
            return {str(key): await self.plain(each, depth + 1) for key, each in value.items()}
        return value

    async def require(self, host: str, port: int) -> None:
        """Raise RequestRefused unless every secret in use may go there; one that uses none goes nowhere."""
        if not self.used and self.may_reach is not None:
            if not await self.may_reach(host, port):
                raise RequestRefused(not_granted(host, port))
        elif not self.used:
            raise RequestRefused(
                "the request holds no {{secret.NAME}}; without one, connect from the cell itself"
            )
        for name in self.used:
            if not any(pattern.covers(host, port) for pattern in self.granted[name].hosts):
                raise not_for_host(name, self.granted[name].hosts, host, port)


def not_for_host(name: str, hosts: Iterable[HostPattern], host: str, port: int) -> RequestRefused:
    """Return why a secret may not go to a host."""
    allowed = ", ".join(map(str, hosts)) or "none"
    words = f"the secret {name!r} may not go to {host}:{port}; it was granted for: {allowed}"
    return RequestRefused(words)


@dataclass(frozen=True, slots=True)
class _Sent:
    headers: dict[str, str]
    params: dict[str, str]
    body: bytes | None


async def _filled(asked: AskedRequest, filling: _Filling) -> _Sent:
    headers = {name: await filling.text(value) for name, value in asked.headers.items()}
    for name, value in headers.items():
        if any(sign in name + value for sign in "\r\n\0"):
            raise RequestRefused(f"the header {name[:60]!r} holds a line break")
        if name.lower() in ("host", "content-length", "transfer-encoding", "connection"):
            raise RequestRefused(f"the header {name!r} is the server's to write")
    params = {name: await filling.text(value) for name, value in asked.params.items()}
    body: bytes | None = None
    if isinstance(asked.content, bytes):
        body = asked.content
    elif asked.content is not None:
        body = (await filling.text(asked.content)).encode()
    elif asked.data is not None:
        body = json.dumps(await filling.plain(asked.data)).encode()
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    return _Sent(headers, params, body)


def _url(asked: AskedRequest) -> Any:
    from yarl import URL  # noqa: PLC0415 - with aiohttp's client

    try:
        url = URL(asked.url)
        if url.scheme not in ("http", "https") or not url.host or url.user or url.password:
            raise ValueError
        return url
    except ValueError:
        raise RequestRefused(
            "the request's url must be http:// or https:// with a host, and no user in it"
        ) from None


async def _fetched(asked: AskedRequest, url: Any, sent: _Sent, filling: _Filling) -> dict[str, Any]:
    """Make the request, and again where the same host says that the thing is elsewhere."""
    import aiohttp  # noqa: PLC0415 - its client is for those who use it

    method, body, params = asked.method, sent.body, sent.params
    try:
        for _ in range(MAX_REDIRECTS + 1):
            address = await _address(url, filling)
            connector = aiohttp.TCPConnector(resolver=_pinned(address), force_close=True)
            async with (
                aiohttp.ClientSession(
                    connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
                ) as session,
                session.request(
                    method,
                    url,
                    params=params or None,
                    headers=sent.headers,
                    data=body,
                    allow_redirects=False,
                ) as answer,
            ):
                target = _redirect(answer, url)
                if target is None:
                    return await _told(answer, filling)
                if answer.status not in (307, 308) and method != "HEAD":
                    method, body = "GET", None
                url, params = target, {}
    except aiohttp.ClientError as error:
        reason = filling.masks.text(str(error) or type(error).__name__)
        raise NodeError(f"the request failed: {reason}", code="request_failed") from None
    raise RequestRefused(f"the host redirected more than {MAX_REDIRECTS} times")


async def _address(url: Any, filling: _Filling) -> str:
    """Return the one address to connect to. Raises RequestRefused."""
    try:
        host = normal_host(url.raw_host)
    except ValueError as error:
        raise RequestRefused(str(error)) from None
    await filling.require(host, url.port)
    try:
        found = await filling.find(host, url.port)
    except OSError:
        raise NodeError(f"{host} cannot be found", code="request_failed") from None
    address = choose(found, as_address(host))
    if address is None:
        raise RequestRefused(
            f"{host} leads to a private address, which only a grant of that address opens"
        )
    return str(address)


def _pinned(address: str) -> Any:
    """Return a resolver that knows one address, whatever it is asked."""
    import socket  # noqa: PLC0415 - beside aiohttp

    from aiohttp.abc import AbstractResolver  # noqa: PLC0415 - its client is for those who use it

    class Pinned(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [
                {
                    "hostname": host,
                    "host": address,
                    "port": port,
                    "family": kind,
                    "proto": 0,
                    "flags": socket.AI_NUMERICHOST,
                }
            ]

        async def close(self) -> None:
            pass

    return Pinned()


def _redirect(answer: ClientResponse, url: Any) -> Any:
    """Return where the same host says that the thing is; None when that is here, or at another host."""
    place = answer.headers.get("Location")
    if answer.status not in _REDIRECTS or not place:
        return None
    try:
        target = url.join(type(url)(place))
    except ValueError:
        return None
    return target if target.origin() == url.origin() else None


async def _told(answer: ClientResponse, filling: _Filling) -> dict[str, Any]:
    content = bytearray()
    async for part in answer.content.iter_chunked(64 * 1024):
        content += part
        if len(content) > MAX_ANSWER:
            raise RequestRefused(f"the answer is over {MAX_ANSWER:,} bytes")
    headers = {
        filling.masks.text(name): filling.masks.text(value)
        for name, value in answer.headers.items()
    }
    return {
        "status": answer.status,
        "headers": headers,
        "content": await asyncio.to_thread(filling.masks.content, bytes(content)),
        "url": filling.masks.text(str(answer.url.with_query(None))),
    }
