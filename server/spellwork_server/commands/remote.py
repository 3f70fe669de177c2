"""A running server, as the command line speaks to it: REST with a token, and errors that say what to do."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from spellwork.errors import SpellworkError
from spellwork_server.errors import BadRequest, ServerError

SECONDS = 60.0
"""How long an answer may take: a large spell is drawn in one go."""


class Unreachable(SpellworkError):
    """No Spellwork server answers there."""

    code = "unreachable"


class Remote:
    """REST calls to one server, as a context manager. Redirects are not followed: the token is for ``url`` alone."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest.field("--url", f"{url!r} is no address", "http://HOST:PORT")
        self._url = url.rstrip("/")
        try:
            headers = {"Authorization": f"Bearer {token.encode('ascii').decode()}"}
        except UnicodeEncodeError as error:
            raise BadRequest.field("--token", "is no token", "sw_...") from error
        self._http = httpx.Client(headers=headers, timeout=SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._url

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer. Raises ServerError with the server's own words, or Unreachable."""
        try:
            response = self._http.request(method, self._url + path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{self._url} cannot be reached: {error}") from error
        try:
            answer = response.json()
            if response.is_success and isinstance(answer, dict):
                return answer
            refusal = answer["error"]
            code, message = str(refusal["code"]), str(refusal["message"])
        except (ValueError, KeyError, TypeError) as error:
            raise Unreachable(
                f"{self._url} answers {response.status_code}, and not as a Spellwork server does"
            ) from error
        raise ServerError(message + _hint(response.status_code), code=code)


def spell_path(canvas: str) -> str:
    """Return the route of a canvas's spell."""
    return f"/v1/canvases/{quote(canvas, safe='')}/spell"


def _hint(status: int) -> str:
    if status == httpx.codes.UNAUTHORIZED:
        return ". Make an API key with: spellwork token EMAIL"
    return ""
