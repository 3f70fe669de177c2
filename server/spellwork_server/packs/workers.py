"""What packs need of the workers that they are installed into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PackSource:
    """A distribution that a worker's environment is to have: from an index by its specifier, or from a file.

    ``sha256`` are the hashes that it must be among; None for any.
    """

    distribution: str
    specifier: str = ""
    file: Path | None = None
    sha256: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a distribution was locked to."""

    version: str
    sha256: tuple[str, ...]


class PackWorkers(Protocol):
    """Workers by id, and which canvas is on which."""

    def worker_of(self, canvas: str) -> str:
        """Return the worker of a canvas, whether it was started already or not."""

    def canvases_of(self, worker: str) -> Sequence[str]:
        """Return the canvases on a worker that are known now."""

    async def set_packs(self, worker: str, packs: Sequence[PackSource]) -> Mapping[str, Resolved]:
        """Give a worker an environment with these packs and no other; return what they were locked to.

        Raises:
            EnvironmentFailed: where it cannot be made; the worker keeps the one it has.
        """


class EnvironmentFailed(Exception):
    """An environment cannot be made, in words for whoever asked for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
