"""A pack: node types that ship together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .node_type import NodeType

ENTRY_POINT_GROUP = "spellwork.packs"
"""Distributions name their packs here, as ``name = "module:pack"``."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Node types that ship together. A plain value: importing it does nothing else."""

    name: str
    version: str
    title: str
    nodes: tuple[NodeType, ...]
    objects: tuple[type[Any], ...] = ()
    """Classes of ``ExternalWorker``: where the pack is on a canvas's worker, one object of each lives in its process,
    and its methods are the nodes ``PACK.OBJECT.METHOD``."""
