"""Canvases: make, find, share, and read or replace the spell drawn on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from .session import Session
from .views import Canvas, view

Role = Literal["owner", "editor", "runner", "viewer"]


class Canvases:
    """The canvases that this account may see."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, name: str, spell: Mapping[str, Any] | None = None) -> Canvas:
        """Make a canvas, empty or with a spell drawn on it."""
        asked: dict[str, Any] = {"name": name}
        if spell is not None:
            asked["spell"] = dict(spell)
        return view(Canvas, await self._session.request("canvases.create", asked))

    async def get(self, canvas: str) -> Canvas:
        """Return a canvas by its id."""
        return view(Canvas, await self._session.request("canvases.get", {"id": canvas}))

    async def find(self) -> list[Canvas]:
        """Return every canvas of this account, and those shared with it."""
        answer = await self._session.request("canvases.find", {})
        return [view(Canvas, each) for each in answer["items"]]

    async def rename(self, canvas: str, name: str) -> Canvas:
        """Give a canvas another name."""
        return view(
            Canvas, await self._session.request("canvases.patch", {"id": canvas, "name": name})
        )

    async def remove(self, canvas: str) -> None:
        """Delete a canvas with its runs."""
        await self._session.request("canvases.remove", {"id": canvas})

    async def spell(self, canvas: str) -> dict[str, Any]:
        """Return the spell as it is drawn now."""
        return await self._session.request("canvases.get_spell", {"id": canvas})

    async def replace_spell(self, canvas: str, spell: Mapping[str, Any]) -> None:
        """Draw another spell, as edits of the live document: open tabs see it at once."""
        await self._session.request("canvases.put_spell", {"id": canvas, "spell": dict(spell)})

    async def change_spell(self, canvas: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Put the nodes, edges, groups and notes given by id, remove those given as None; return the spell.

        What the patch does not name stays as it is, also what others draw meanwhile.
        """
        return await self._session.request("canvases.patch_spell", {"id": canvas, **patch})

    async def suggest(
        self, canvas: str, node: str, source: str | None = None
    ) -> list[dict[str, Any]]:
        """Return wires worth drawing into a node, from ``source`` or else from what is before it; none is drawn."""
        asked = {"canvas": canvas, "node": node} | ({} if source is None else {"source": source})
        wires: list[dict[str, Any]] = (await self._session.request("nodes.suggest", asked))["wires"]
        return wires

    async def upgrade(self, canvas: str, nodes: Sequence[str] | None = None) -> dict[str, Any]:
        """Bring old nodes to the newest versions of their types; return ``{upgraded, failed}``, with what became of each."""
        asked: dict[str, Any] = {"canvas": canvas}
        if nodes is not None:
            asked["nodes"] = list(nodes)
        return await self._session.request("nodes.upgrade", asked)

    async def share(self, canvas: str, email: str, role: Role) -> None:
        """Let somebody in, or change what they may do."""
        await self._session.request(
            "canvases.put_member", {"id": canvas, "email": email, "role": role}
        )

    async def unshare(self, canvas: str, email: str) -> None:
        """Take somebody's role away; their open tabs lose the canvas within seconds."""
        await self._session.request("canvases.remove_member", {"id": canvas, "email": email})
