"""A request that the server makes for a cell."""

from __future__ import annotations

import json as jsons
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spellwork_worker.asking import RefusedError, ask

RequestError = RefusedError
"""The server refused the request, or could not make it."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a host answered. Secrets that it repeated are masked."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def ok(self) -> bool:
        """Whether the status tells of success."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError when it is none."""
        return jsons.loads(self.content)


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | str | None = None,
    timeout: float = 30.0,
) -> Response:
    """Have the server make a request, with ``{{secret.NAME}}`` in it filled in there.

    Secrets may stand in header values, in ``params``, in strings of ``json`` and in a text
    ``content``. A redirect to another host is not followed, but returned.

    Raises:
        RequestError: the host or a secret was not granted, or the request could not be made.
    """
    if json is not None and content is not None:
        raise ValueError("a request has json or content, not both")
    fields: dict[str, Any] = {
        "method": method,
        "url": url,
        "headers": {str(key): str(value) for key, value in (headers or {}).items()},
        "params": {str(key): str(value) for key, value in (params or {}).items()},
        "timeout": timeout,
    }
    if json is not None:
        fields["json"] = json
    if content is not None:
        fields["content"] = content
    told = ask("request", fields)
    return Response(told["status"], told["headers"], told["content"], told["url"])
