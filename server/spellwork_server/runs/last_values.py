"""What the last runs of a stream left of some nodes, for a run of others that takes it as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import msgspec

from spellwork import RunMemory
from spellwork.handles import find_handle
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.outputs import OutputStore

from .references import is_stand_in

MOST_BYTES = 128 * 1024 * 1024
"""JSON that is read for one run at most; nodes beyond count as having left nothing."""


class LastValues:
    """Reads from the store what a runner does not have in memory (any more)."""

    def __init__(self, outputs: OutputStore) -> None:
        self._outputs = outputs

    async def recall(
        self,
        memory: RunMemory,
        stream: str,
        nodes: Collection[str],
        *,
        before: float | None = None,
    ) -> None:
        """Put into ``memory`` what the stream's newest runs left of those of ``nodes`` that it lacks.

        ``before``: only runs that were created before that time.
        """
        missing = [node for node in nodes if node not in memory.nodes]
        if not missing:
            return
        places = await self._outputs.last_of(stream, missing, before=before)
        taken: dict[str, dict[str, str]] = {}
        refs: list[OutputRef] = []
        size = 0
        for ref in places:
            size += ref.size
            if size <= MOST_BYTES:
                taken.setdefault(ref.node, {})[ref.port] = ref.hash
                refs.append(ref)
        bodies = await self._outputs.values(refs)
        values = await asyncio.to_thread(_decoded, taken, bodies)
        for node, old in RunMemory.of(values).nodes.items():
            memory.nodes.setdefault(node, old)


def _decoded(
    places: dict[str, dict[str, str]], bodies: dict[str, bytes]
) -> dict[str, dict[str, Any]]:
    return {
        node: {port: _value(key, bodies[key]) for port, key in ports.items()}
        for node, ports in places.items()
        if all(key in bodies and not _is_gone(key, bodies[key]) for key in ports.values())
    }


def _is_gone(key: str, body: bytes) -> bool:
    """Say whether it is a value in a worker, and that is there no more: then the node left nothing."""
    if not is_stand_in(key, body):
        return False
    handle = find_handle(key)
    return handle is None or handle.gone is not None


def _value(key: str, body: bytes) -> Any:
    return find_handle(key) if is_stand_in(key, body) else msgspec.json.decode(body)
