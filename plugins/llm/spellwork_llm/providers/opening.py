"""Opens the provider that a node asks for, and decides whom to trust with what.

The operator's own server may be anywhere and gets the operator's key. A URL that
comes from a spell gets no key, and may only lead where spells may connect.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from spellwork import NodeError
from spellwork.outbound import Destinations

from .configuration import Configuration
from .provider import Kind, Provider

if TYPE_CHECKING:
    import httpx


@asynccontextmanager
async def open_provider(
    kind: Kind = "ollama", base_url: str = "", configuration: Configuration | None = None
) -> AsyncIterator[Provider]:
    """Open a model server: the operator's, unless ``base_url`` names another."""
    known = configuration or Configuration.from_environment(os.environ)
    url = base_url.strip().rstrip("/") or known.url(kind)
    if not url.startswith(("http://", "https://")):
        raise NodeError(
            f"{url!r} is no http:// or https:// URL",
            code="invalid_url",
            port="base_url",
            retryable=False,
        )
    own = url == known.url(kind)
    transport = _transport(own=own)
    if kind == "ollama":
        from .ollama import open_ollama  # noqa: PLC0415 - with httpx, when a model is first asked

        async with open_ollama(url, transport, trusted=own) as ollama:
            yield ollama
    else:
        from .openai import open_openai  # noqa: PLC0415 - likewise

        async with open_openai(url, transport, known.openai_key if own else None) as openai:
            yield openai


def _transport(*, own: bool) -> httpx.AsyncBaseTransport:
    """Return a way to the operator's own server, or one that leads only where spells may connect."""
    import httpx  # noqa: PLC0415 - when a model is first asked

    from spellwork.outbound import GuardedTransport  # noqa: PLC0415 - it imports httpx

    if own:
        return httpx.AsyncHTTPTransport()
    return GuardedTransport(Destinations.from_environment(os.environ))
