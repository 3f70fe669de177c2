"""Who the client is: an API key, or an email and password kept fresh by the refresh cookie."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import httpx

from .errors import ConnectionLost, refused

EARLY = 30.0
"""Seconds before its end at which an access token is renewed."""


class Credentials(Protocol):
    """Gives a token that is valid now."""

    async def token(self) -> str:
        """Return a token; raise Unauthenticated when there is none to be had."""


class FixedToken:
    """An API key, or an access token that the caller keeps fresh."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """Return the token."""
        return self._token


class Password:
    """An email and password: signs in once, then renews by the refresh cookie."""

    def __init__(self, http: httpx.AsyncClient, email: str, password: str) -> None:
        self._http = http
        self._form = {"email": email, "password": password}
        self._token: str | None = None
        self._expires = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Return an access token, renewed when it is about to end."""
        async with self._lock:
            if self._token is None:
                self._keep(await post(self._http, "/v1/auth/login", self._form))
            elif time.monotonic() >= self._expires - EARLY:
                self._keep(await self._renew())
            assert self._token is not None
            return self._token

    async def _renew(self) -> dict[str, Any]:
        response = await _send(self._http, "/v1/auth/refresh", {})
        if response.status_code == httpx.codes.UNAUTHORIZED:  # signed out elsewhere, or long away
            return await post(self._http, "/v1/auth/login", self._form)
        return _body(response)

    def _keep(self, answer: dict[str, Any]) -> None:
        self._token = str(answer["access_token"])
        self._expires = time.monotonic() + float(answer.get("expires_in", 900))


async def post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST ``body`` and return the answer; raise Refused or ConnectionLost."""
    return _body(await _send(http, path, body))


async def _send(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> httpx.Response:
    origin = f"{http.base_url.scheme}://{http.base_url.netloc.decode()}"
    try:  # cookies count only beside an origin that the server allows
        return await http.post(path, json=body, headers={"Origin": origin})
    except httpx.TransportError as error:
        raise ConnectionLost(f"{http.base_url} cannot be reached: {error}") from error


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise ConnectionLost(
            f"{response.url} answered {response.status_code} without JSON: not a Spellwork server?"
        ) from error
    if response.is_error:
        raise refused(answer.get("error", {}))
    return dict(answer)
