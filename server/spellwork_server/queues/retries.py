"""Whether a run that failed is tried again, and when."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BACKOFF = 1.0
MAX_BACKOFF = 300.0

PERMANENT = frozenset(
    {
        "invalid_input",
        "deadline_exceeded",
        "too_many_calls",
        "too_many_takeovers",
        "journal_full",
        "forbidden",
        "unauthenticated",
        "not_found",
    }
)
"""Codes of failures that come again whenever the run is tried again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a run is tried, and how long it waits in between: ``backoff`` seconds, doubled each time."""

    attempts: int = 1
    backoff: float = BACKOFF
    max_backoff: float = MAX_BACKOFF

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Retry:
        """Return what a run's record says; once, where it says nothing."""
        return cls(**kept) if kept else cls()

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Return the seconds to wait after an attempt (from 1) that failed: half of it to all of it, by chance.

        The spread keeps runs that failed together from coming back together.
        """
        full = min(self.max_backoff, self.backoff * 2.0 ** min(attempt - 1, 60))
        return full * (0.5 + 0.5 * chance())

    def again(self, attempt: int, failures: Iterable[tuple[str, bool]]) -> bool:
        """Say whether a run whose attempt left these failures (code, retryable) is tried again: all must be retryable."""
        found = list(failures)
        return (
            bool(found)
            and attempt < self.attempts
            and all(retryable and code not in PERMANENT for code, retryable in found)
        )
