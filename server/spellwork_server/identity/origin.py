"""Which web pages may call the server in a visitor's name."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from spellwork_server.settings import Settings

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_allowed(headers: Mapping[str, str], settings: Settings) -> bool:
    """Tell whether a request may come from where its headers say, for unsafe methods and sockets.

    A browser names the page's origin with every unsafe request and socket. It
    must be the host and port that the request goes to, the public URL, or one
    of ``allowed_origins``. A request without ``Origin`` is no page's, unless
    ``Sec-Fetch-Site`` says that it is; then it must be our own.
    """
    origin = headers.get("Origin")
    if origin is None:
        return headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    given = _parts(origin)
    if given is None:
        return False
    listed = (*settings.allowed_origins, settings.public_url or "", settings.url)
    if given in {_parts(each) for each in listed}:
        return True
    scheme, *place = given
    host = _parts(f"{scheme}://{headers.get('Host', '')}")
    return host is not None and [*host[1:]] == place


def page_allowed(headers: Mapping[str, str], settings: Settings) -> bool:
    """Tell whether a browser says that an allowed page asks; silence, as of a script, is not enough."""
    says = "Origin" in headers or "Sec-Fetch-Site" in headers
    return says and origin_allowed(headers, settings)


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None for ``null`` and all that is no web origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname.lower(), port
