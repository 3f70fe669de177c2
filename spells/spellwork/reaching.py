"""Which nodes a run of part of a spell takes in, and whose values it takes from the last run.

``needed``: the nodes named and all they need. ``only``: just these, with what
feeds them as the last run left it. ``onward``: these and all that depends on
them; what feeds those is as the last run left it, and is run where it left nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .analysis import Analysis
from .errors import InvalidInput, NoValue
from .memory import Remembered, RunMemory

Reach = Literal["needed", "only", "onward"]


@dataclass(frozen=True, slots=True)
class Reached:
    """The nodes that run, and those that stand with what they left: {node: how it last ended}."""

    running: set[str]
    kept: Mapping[str, Remembered] = field(default_factory=dict)


def reached(
    analysis: Analysis, scope: Sequence[str] | None, reach: Reach, memory: RunMemory | None
) -> Reached | None:
    """Return what a run of ``scope`` takes in; None is everything.

    Raises:
        InvalidInput: for a scope that the spell does not have.
        NoValue: where a node that ``only`` would not run is needed and left no value.
    """
    if scope is None:
        return None
    unknown = [id for id in scope if id not in analysis.spell.nodes]
    if unknown:
        raise InvalidInput(
            f"the scope names {', '.join(map(repr, unknown))}, which the spell does not have",
            details={"scope": unknown, "allowed": sorted(analysis.spell.nodes)[:50]},
        )
    scope = _outside_bodies(analysis, scope)
    if reach == "needed":
        return Reached(_closure(scope, analysis.needs))
    wanted = set(scope) if reach == "only" else _closure(scope, _dependants(analysis))
    return _with_kept(analysis, wanted, reach, memory or RunMemory())


def feeding_nodes(analysis: Analysis, scope: Sequence[str], reach: Reach) -> set[str]:
    """Return the nodes whose values of the last run a run of ``scope`` would take, were they there."""
    scope = _outside_bodies(analysis, scope)
    wanted = set(scope) if reach == "only" else _closure(scope, _dependants(analysis))
    return {need for id in wanted for need in analysis.needs.get(id, ())} - wanted


def _outside_bodies(analysis: Analysis, scope: Iterable[str]) -> list[str]:
    """Return a scope with those who run a body in the place of the nodes in it, which do not run by themselves."""
    regions = analysis.regions
    owners = {id: regions.owners[region] for id, region in regions.of.items()}
    return sorted(id for id in _closure(scope, owners) if id not in owners)


def _closure(start: Iterable[str], after: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    left = list(start)
    while left:
        id = left.pop()
        if id not in found:
            found.add(id)
            left.extend(after.get(id, ()))
    return found


def _dependants(analysis: Analysis) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {}
    for id, needs in analysis.needs.items():
        for need in needs:
            after.setdefault(need, []).append(id)
    return after


def _with_kept(analysis: Analysis, wanted: set[str], reach: Reach, memory: RunMemory) -> Reached:
    running, kept, missing = set(wanted), dict[str, Remembered](), set[str]()
    left = list(wanted)
    while left:
        id = left.pop()
        for need, outputs in _taken(analysis, id).items():
            if need in running or need in kept:
                continue
            old = memory.nodes.get(need)
            if old is not None and old.outputs.keys() >= outputs:
                kept[need] = old
            elif reach == "only" and need not in analysis.standing:
                missing.add(need)
            else:
                running.add(need)
                left.append(need)
    if missing:
        raise NoValue(sorted(missing))
    return Reached(running, kept)


def _taken(analysis: Analysis, id: str) -> dict[str, set[str]]:
    """Return what a node takes of others: {node: outputs}. What is needed and gives nothing known has none."""
    taken: dict[str, set[str]] = {need: set() for need in analysis.needs.get(id, ())}
    part = analysis.parts.get(id)
    for links in part.links.values() if part is not None else ():
        for link in links:
            taken.setdefault(link.source, set()).add(link.output)
    for captured in analysis.regions.captures.values():
        for source, output in captured:
            if source in taken:
                taken[source].add(output)
    return taken
