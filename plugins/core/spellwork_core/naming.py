"""Names that are told apart."""

from __future__ import annotations

from collections.abc import Iterable

AGAIN = " (again)"


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names in order, those that came before (or are ``taken``) with ``(again)`` behind, or a number."""
    known = set(taken)
    times: dict[str, int] = {}
    made = []
    for name in names:
        chosen = name
        while chosen in known:
            times[name] = count = times.get(name, 0) + 1
            chosen = name + AGAIN if count == 1 else f"{name} (again {count})"
        known.add(chosen)
        made.append(chosen)
    return made
