"""The names that scripts and notebooks import hold still."""

from __future__ import annotations

import spellwork_client


def test_public_names_are_these() -> None:
    assert spellwork_client.__all__ == [
        "BadRequest",
        "Canvas",
        "Canvases",
        "Client",
        "ClientError",
        "ConnectionLost",
        "Event",
        "Forbidden",
        "NotFound",
        "RateLimited",
        "Refused",
        "Run",
        "RunStopped",
        "RunView",
        "Runs",
        "ServerFault",
        "Session",
        "SpellRefused",
        "Unauthenticated",
        "Version",
        "Versions",
    ]
