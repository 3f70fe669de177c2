"""Run a spell in a script, with no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from .cache import OutputCache
from .events import Sink
from .library import Library
from .result import RunResult
from .spell import Spell

SpellSource = Spell | Mapping[str, Any] | str | PathLike[str]


async def run_async(
    spell: SpellSource,
    inputs: Mapping[str, Any] | None = None,
    *,
    scope: Sequence[str] | None = None,
    library: Library | None = None,
    cache: OutputCache | None = None,
    sink: Sink | None = None,
) -> RunResult:
    """Run a spell."""
    raise NotImplementedError


def run(
    spell: SpellSource,
    inputs: Mapping[str, Any] | None = None,
    *,
    scope: Sequence[str] | None = None,
    library: Library | None = None,
    cache: OutputCache | None = None,
    sink: Sink | None = None,
) -> RunResult:
    """Run a spell."""
    raise NotImplementedError
