"""Versions: what a canvas was, kept by the server as it is edited, or saved under a name."""

from __future__ import annotations

from typing import Any

import msgspec

from .session import Session
from .views import view


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a canvas; ``number`` counts them from 1, ``spell`` is there where one was asked for by itself."""

    id: str
    number: int
    name: str | None = None
    created_at: float = 0.0
    spell: dict[str, Any] | None = None


class Versions:
    """The versions of canvases that this account may see."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(
        self, canvas: str, *, limit: int = 50, before: int | None = None, named: bool = False
    ) -> list[Version]:
        """Return versions, newest first; ``before`` a number is the next page."""
        asked: dict[str, Any] = {"canvas": canvas, "limit": limit, "named": named}
        if before is not None:
            asked["before"] = before
        answer = await self._session.request("versions.find", asked)
        return [view(Version, each) for each in answer["items"]]

    async def get(self, canvas: str, version: str) -> Version:
        """Return a version with its spell."""
        asked = {"canvas": canvas, "id": version}
        return view(Version, await self._session.request("versions.get", asked))

    async def create(self, canvas: str, name: str) -> Version:
        """Give the canvas as it is now a name by which it is kept."""
        asked = {"canvas": canvas, "name": name}
        return view(Version, await self._session.request("versions.create", asked))

    async def rename(self, canvas: str, version: str, name: str | None) -> Version:
        """Give a version another name, or take it away with None."""
        asked = {"canvas": canvas, "id": version, "name": name}
        return view(Version, await self._session.request("versions.patch", asked))

    async def compare(
        self, canvas: str, version: str, other: str | None = None
    ) -> list[dict[str, Any]]:
        """Return what must change to get from a version to another, or to the canvas as it is now."""
        asked = {"canvas": canvas, "id": version} | ({} if other is None else {"other": other})
        answer = await self._session.request("versions.compare", asked)
        changes: list[dict[str, Any]] = answer["changes"]
        return changes

    async def restore(self, canvas: str, version: str) -> tuple[Version, Version]:
        """Draw a version again; return what it replaced, and what is drawn now. Restoring the first undoes it."""
        answer = await self._session.request("versions.restore", {"canvas": canvas, "id": version})
        return view(Version, answer["before"]), view(Version, answer["after"])
