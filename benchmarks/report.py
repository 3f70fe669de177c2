"""A measured figure, its target, and how a report prints them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``most`` and ``least`` are its target, where it has one."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"<= {self.most:g} {self.unit}"
        if self.least is not None:
            return f">= {self.least:g} {self.unit}"
        return ""

    def line(self) -> str:
        """Return the figure as one line of a report; what misses its target is marked."""
        mark = "" if not self.target else "  ok" if self.met else "  MISSED"
        measured = f"{self.value:,.4g} {self.unit}"
        return f"  {self.name:<58} {measured:>18}  {self.target:<18}{mark}".rstrip()


def print_figures(title: str, figures: Iterable[Figure]) -> bool:
    """Print a section; say whether every target in it was met."""
    print(f"\n{title}")
    met = True
    for figure in figures:
        print(figure.line(), flush=True)
        met = met and figure.met
    return met
