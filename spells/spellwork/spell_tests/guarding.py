"""A library in which no call reaches the world: what a test has not recorded fails where it would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spellwork.errors import NodeError
from spellwork.library import Library
from spellwork.node_type import NodeType

NOT_RECORDED = "not_recorded"


class GuardedLibrary(Library):
    """The same node types; a call of one that has side effects or costs money fails with ``not_recorded``.

    Spells inside the spell and calls from within calls (``core.map`` of a node
    type by name) take their types from it, too.
    """

    def __init__(self, library: Library) -> None:
        super().__init__((), library.problems)
        self.packs = library.packs
        self._versions = {
            id: {version: _guarded(each) for version, each in versions.items()}
            for id, versions in library._versions.items()  # noqa: SLF001 - a library too
        }


def has_consequences(declared: NodeType) -> bool:
    """Say whether a call of such a node does something in the world, or may cost money."""
    return declared.side_effects or declared.limiter is not None


def _guarded(declared: NodeType) -> NodeType:
    if not has_consequences(declared):
        return declared

    async def refuse(**_inputs: Any) -> None:
        raise NodeError(
            f"{declared.id} has side effects or costs money, and what comes of it is not recorded",
            code=NOT_RECORDED,
            retryable=False,
        )

    return replace(
        declared,
        call=refuse,
        form="async",
        wants_context=False,
        isolation="inline",
        target=None,
        side_effects=True,
        limiter=None,
        retries=0,
    )
