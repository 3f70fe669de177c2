"""Which web pages may speak to the server in a visitor's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from spellwork_server.settings import Settings

PORTS = {"http": 80, "https": 443}


class OriginCheck:
    """Compares an ``Origin`` with the server's own address and those the operator allowed."""

    def __init__(self, settings: Settings) -> None:
        named = [*settings.allowed_origins, *([settings.public_url] if settings.public_url else [])]
        self._allowed = {origin for origin in map(_normal, named) if origin}

    def allows(self, origin: str | None, environ: Mapping[str, Any]) -> bool:
        """Tell whether a handshake from ``origin`` is taken.

        A page is allowed when it came from the very host and port it calls
        (compared with ``Host``; a proxy's scheme may differ), or is listed.
        """
        given = _normal(origin or "")
        if given is None:
            return False
        if given in self._allowed:
            return True
        host = str(environ.get("HTTP_HOST", ""))
        scheme = given[0]
        return _normal(f"{scheme}://{host}") == given


def _normal(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None for ``null`` and everything that is no web origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname.lower(), port
