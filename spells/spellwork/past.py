"""What of a run had ended before: what a run that is resumed, or forked from another one, goes on from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from .plan import Plan
from .result import NodeFailure


class Ended(msgspec.Struct, frozen=True, gc=False):
    """One node as it ended: with outputs by port, or failed, or skipped (with the reason).

    ``why`` and ``duration`` (seconds) are those that were told. An output that came as a stream is its whole.
    """

    outputs: dict[str, Any] = {}
    failure: NodeFailure | None = None
    skipped: str | None = None
    why: str | None = None
    duration: float | None = None


Past = Mapping[str, Ended]
"""By the path under which a node is told (``a``, ``sub/x``, ``map[3]/x``).

``map[3]`` is a whole iteration, as runs with a barrier tell of those whose nodes they do not tell of.
What lies inside a node that is there itself counts for nothing.
"""


class Behind:
    """The past as a tree: ``ended`` are nodes of one run by id, ``inside`` what ended in the runs inside them.

    ``inside`` has a tree by place: ``sub``, ``map[3]``.
    """

    __slots__ = ("ended", "inside")

    def __init__(self) -> None:
        self.ended: dict[str, Ended] = {}
        self.inside: dict[str, Behind] = {}

    @classmethod
    def of(cls, past: Past) -> Behind:
        """Return the tree of a past."""
        root = cls()
        for path, ended in past.items():
            *places, last = path.split("/")
            here = root
            for place in places:
                here = here.inside.setdefault(place, cls())
            here.ended[last] = ended
        return root


def onward(plan: Plan, nodes: Iterable[str]) -> set[str]:
    """Return these nodes of a plan, and all that depend on them by wires or names; ids it does not have are left out."""
    successors, steps = plan.program.successors, plan.steps
    found: set[int] = set()
    left = [plan.index[node] for node in nodes if node in plan.index]
    while left:
        index = left.pop()
        if index not in found:
            found.add(index)
            left.extend(successors[index])
    return {steps[index].id for index in found}


def without(past: Past, plan: Plan, paths: Iterable[str]) -> dict[str, Ended]:
    """Return a past without what has to run again when the nodes at these paths do.

    That is: each of them with all that depends on it, and everything inside those (of ``map[3]``:
    inside that iteration). Of a path that leads inside a node (``sub/x``, ``map[3]/x``) the nodes around
    it run again, too, with all that depends on them; what else ended inside
    them, in other iterations also, stays.
    """
    dropped: set[str] = set()
    opened: set[str] = set()
    for path in paths:
        _drop(plan, path.split("/"), "", dropped, opened)
    return {
        path: ended
        for path, ended in past.items()
        if path not in opened and not _lies_in(path, dropped)
    }


def _drop(plan: Plan, places: list[str], prefix: str, dropped: set[str], opened: set[str]) -> None:
    """Note what of one run has to run again for the node to which ``places`` lead from there."""
    place, *further = places
    owner = place.partition("[")[0]
    again = onward(plan, [owner])
    if not further and place == owner:
        dropped.update(prefix + id for id in again)
        return
    dropped.update(prefix + id for id in again if id != owner)
    opened.update((prefix + owner, prefix + place))
    if not further:
        dropped.add(prefix + place)
        return
    body = plan[owner].body if owner in plan else None
    if body is not None:
        _drop(body.plan, further, f"{prefix}{place}/", dropped, opened)


def _lies_in(path: str, dropped: set[str]) -> bool:
    """Say whether a path is one of those dropped, or leads inside one."""
    here = ""
    for place in path.split("/"):
        if here + place in dropped or here + place.partition("[")[0] in dropped:
            return True
        here = f"{here}{place}/"
    return False
