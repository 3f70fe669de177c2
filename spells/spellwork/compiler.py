"""Compile a spell to a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .library import Library
from .plan import Plan
from .spell import Spell


def compile(
    spell: Spell,
    library: Library,
    inputs: Mapping[str, Any] | None = None,
    scope: Sequence[str] | None = None,
    *,
    environment: str = "",
) -> Plan:
    """Compile."""
    raise NotImplementedError
