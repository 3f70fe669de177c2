"""How runs put questions to people: what a run needs of whoever keeps the questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from spellwork.asking import Asker


def as_it_is(value: Any) -> Any:
    """Return the value."""
    return value


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks: the run, as its questions are kept with it. ``user`` is whose run it is."""

    run: str
    canvas: str | None
    user: str
    stream: str
    audience: str
    secure: Callable[[], Awaitable[None]]
    """Returns once the run is kept; raises Unavailable where it never will be."""
    masked: Callable[[Any], Any] = as_it_is
    """Takes the secrets of the run out of plain JSON."""


class Asking(Protocol):
    """Keeps questions until they are answered, over restarts."""

    def asker_of(self, asked: Asked) -> Asker:
        """Return what puts a run's questions, each once: asked again by the same path it is the same."""
        ...

    async def is_answered(self, run: str) -> bool:
        """Say whether a question on which the run rested is open no more.

        It is asked after the run was kept as ``waiting``, so that an answer which
        came meanwhile is not missed; one that comes later calls ``Runners.answered``.
        """
        ...
