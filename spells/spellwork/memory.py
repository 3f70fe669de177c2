"""What the last run of a spell left, so that the next can say why, and do less."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from .result import NodeFailure
from .values import hash_bytes, json_bytes, plain_bytes

Fingerprint = tuple[tuple[str, Any], ...]
"""(port, hash of its value) of every input of a call; a list of hashes where several wires end."""


COMMON = (int, bool, type(None))
"""What nodes often have typed in, and is known again by being equal."""


UNCHANGING = (*COMMON, float, str)
"""Types of values that no node can change which is given one."""

_LEAST, _MOST = -(2**63), 2**64 - 1
"""The whole numbers that JSON may hold; larger ones may be as large as they like."""


class Held:
    """Stands for a value that has no JSON form, in the place of its hash: equal only to the same object."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def mark_of(value: Any) -> Any:
    """Return what a value is known by: the hash of its JSON, or where JSON would not give it back, the very object."""
    if type(value) in COMMON and (value is None or _LEAST <= value <= _MOST):
        return _known_mark(value)
    plain = plain_bytes(value)
    return Held(value) if plain is None else hash_bytes(plain)


@lru_cache(maxsize=4096, typed=True)
def _known_mark(value: int | None) -> str:
    return hash_bytes(json_bytes(value))


class Remembered(msgspec.Struct, eq=False, gc=False):
    """One node as it last ended: done with outputs, failed, or skipped.

    ``at`` is monotonic seconds. ``stale``: something upstream has changed since
    and it was not yet looked at, for the run was cancelled before.
    ``fleeting``: it called a node whose outputs may not be kept. ``code`` and
    ``packages`` are parts of ``local``, to say which of them changed.
    """

    local: str
    shape: str
    inputs: Fingerprint
    outputs: dict[str, Any]
    hashes: dict[str, Any]
    at: float
    failure: NodeFailure | None = None
    skipped: str | None = None
    stale: bool = False
    fleeting: bool = False
    code: str | None = None
    packages: str = ""


class RunMemory:
    """Remembers, per node, what it was made from and what came out.

    Give the same memory to one Execution after another of the same spell, as
    it changes; never to two at once. It holds the outputs themselves.
    """

    __slots__ = ("holds", "nodes")

    def __init__(self) -> None:
        self.nodes: dict[str, Remembered] = {}
        self.holds = False
        """Whether any of the outputs may be a value that stays in a worker."""

    @classmethod
    def of(cls, outputs: Mapping[str, Mapping[str, Any]]) -> RunMemory:
        """Return the memory of a run of which only the outputs are known: enough for runs of parts of its spell."""
        memory = cls()
        for node, ports in outputs.items():
            memory.nodes[node] = Remembered("", "", (), dict(ports), {}, 0.0, stale=True)
        return memory

    def clear(self) -> None:
        """Forget everything."""
        self.nodes.clear()

    def forget(self, node: str) -> None:
        """Forget one node: it will run again."""
        self.nodes.pop(node, None)
