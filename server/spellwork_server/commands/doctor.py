"""``spellwork doctor``: is this installation whole?"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from spellwork import Library
from spellwork_server.errors import ServerError
from spellwork_server.settings import Settings
from spellwork_server.static_files import PAGE, STATIC
from spellwork_server.storage.database import Database
from spellwork_server.storage.upgrade import upgrade


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    message: str


def examine(settings: Settings) -> list[Finding]:
    """Look at everything a server needs. Brings the database to its newest tables."""
    return [_python(), *_packs(), _client(), asyncio.run(_database(settings))]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), f"{version} (3.11 or newer is needed)")


def _packs() -> list[Finding]:
    library = Library.installed()
    found = [
        Finding(f"pack {pack.name}", True, f"{len(pack.nodes)} node types")
        for pack in library.packs
    ]
    return found + [
        Finding(f"pack {name}", False, reason) for name, reason in library.problems.items()
    ]


def _client() -> Finding:
    built = (STATIC / PAGE).is_file()
    return Finding("client", built, "built" if built else "not built; run: make client")


async def _database(settings: Settings) -> Finding:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        async with Database(settings.database) as database:
            await upgrade(database)
    except ServerError as error:
        return Finding("database", False, error.message)
    return Finding("database", True, "opens, and has the newest tables")
