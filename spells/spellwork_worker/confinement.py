"""What is closed to the code in a worker."""

from __future__ import annotations

from collections.abc import Collection

import msgspec


class Confinement(msgspec.Struct, frozen=True):
    """What holds for a worker since before it read any code; all open unless it is said otherwise.

    ``files``: all but its own directory, the interpreter and the installed packages.
    ``network``: everything but what the server connects for it. ``signals``: every process but
    those it started itself, and these cannot leave its group. ``reason`` says why something is open.
    ``layers`` are the means that are in force, ``absent`` says of each other one why it is not.
    """

    files: bool = False
    network: bool = False
    signals: bool = False
    reason: str = "workers are confined on Linux only"
    layers: tuple[str, ...] = ()
    absent: dict[str, str] = {}

    @property
    def whole(self) -> bool:
        """Whether all of it is closed."""
        return self.files and self.network and self.signals

    def open_ways(self, allowed: Collection[str]) -> list[str]:
        """Return which of "files" and "network" are open though nobody allowed that."""
        ways = []
        if not self.files and "files" not in allowed:
            ways.append("files")
        if not self.network and "network" not in allowed:
            ways.append("network")
        return ways

    @property
    def words(self) -> str:
        """What is closed, for a person whose code met it; empty when nothing is."""
        parts = (
            (self.files, "no files but those in its own directory"),
            (self.network, "no network (wire an HTTP node to it, or have the host granted)"),
            (self.signals, "no process but its own"),
        )
        return ", ".join(words for closed, words in parts if closed)
