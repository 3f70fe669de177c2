"""What a run tells of what its nodes run inside themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KEPT = frozenset(("code", "attempts", "retryable"))
"""What of a failure says nothing of where and why it began."""


@dataclass(frozen=True, slots=True)
class Insides:
    """Says what is told: nothing of the inside of the nodes ``hidden``, by id, wherever in a path they are."""

    hidden: frozenset[str] = frozenset()

    def hides(self, path: str | None) -> bool:
        """Say whether a path leads into such a node."""
        return bool(self.hidden) and path is not None and self._told_of(path) != path

    def failure(self, error: dict[str, Any]) -> dict[str, Any]:
        """Return a node's failure as it is told: of one that began in such a node its code, and that node's path."""
        details = error.get("details")
        path = details.get("path") if isinstance(details, Mapping) else None
        if not isinstance(path, str) or not self.hides(path):
            return error
        owner = self._told_of(path)
        return {
            **{key: value for key, value in error.items() if key in _KEPT},
            "message": f"{owner}: something failed in a canvas that not all who see this may open",
            "details": {"hidden": owner},
        }

    def _told_of(self, path: str) -> str:
        """Return how far a path is told."""
        if not self.hidden:
            return path
        parts = path.split("/")
        for depth, owner in enumerate(parts[:-1], 1):
            if owner.partition("[")[0] in self.hidden:
                return "/".join(parts[:depth])
        return path


ALL_SHOWN = Insides()
