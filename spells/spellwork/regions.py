"""Which nodes are run by another node: those of a group that is the body of one, and what they take from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .spell import Spell


class Regions:
    """The groups of a spell that are bodies.

    ``of``: by node, the innermost such group around it; nodes that the spell
    runs itself are left out. ``owners``: by group, the nodes whose body it is.
    """

    def __init__(self, spell: Spell, bodies: Mapping[str, str]) -> None:
        """Read a spell in which ``bodies`` says, by node, which group is its body."""
        self.of: dict[str, str] = {}
        self.owners: dict[str, list[str]] = {}
        self.captures: dict[str, list[tuple[str, str]]] = {}
        """By group, the outputs (node, port) from outside that its nodes take."""
        self.spared: dict[str, frozenset[tuple[str, str]]] = {}
        """By group, those of them that none of its nodes needs to run."""
        for owner in sorted(bodies):
            self.owners.setdefault(bodies[owner], []).append(owner)
        if not bodies:
            return
        innermost = {group: self._innermost(spell, group) for group in spell.groups}
        for id, node in spell.nodes.items():
            region = innermost.get(node.group or "")
            if region is not None:
                self.of[id] = region

    def _innermost(self, spell: Spell, group: str | None) -> str | None:
        seen: set[str] = set()
        while group is not None and group in spell.groups and group not in seen:
            if group in self.owners:
                return group
            seen.add(group)
            group = spell.groups[group].group
        return None

    def members(self) -> dict[str, list[str]]:
        """Return, by group, the nodes that are its own and not of a body within it."""
        found: dict[str, list[str]] = {group: [] for group in self.owners}
        for id, region in self.of.items():
            found[region].append(id)
        return found

    def within(self, owners: Iterable[str]) -> set[str]:
        """Return the nodes of the bodies of these nodes, at whatever depth."""
        members = self.members()
        bodies = {owner: group for group, each in self.owners.items() for owner in each}
        found: set[str] = set()
        left = list(owners)
        while left:
            for member in members.get(bodies.get(left.pop(), ""), ()):
                if member not in found:
                    found.add(member)
                    left.append(member)
        return found

    def sees(self, target: str, source: str) -> bool:
        """Say whether what ``source`` gives can come to ``target``: both lie in one body, or it surrounds it."""
        region = self.of.get(source)
        return self._within(self.of.get(target), region, set())

    def _within(self, region: str | None, around: str | None, seen: set[str]) -> bool:
        if region == around:
            return True
        if region is None or region in seen:
            return False
        seen.add(region)
        return all(self._within(self.of.get(owner), around, seen) for owner in self.owners[region])

    def capture(self, wires: Iterable[tuple[str, str, str, bool]]) -> None:
        """Note what bodies take from outside; ``wires`` are (source, output, target, spared), all of which are seen.

        ``spared``: the target runs where nothing comes by the wire. What a body
        takes from outside the body around it, that one takes, too.
        """
        waiting = [wire for wire in wires if self.of.get(wire[0]) != self.of.get(wire[2])]
        taken: dict[str, dict[tuple[str, str], bool]] = {}
        while waiting:
            source, output, target, spared = waiting.pop()
            region = self.of[target]
            known = taken.setdefault(region, {})
            before = known.get((source, output))
            if before is spared or before is False:
                continue
            known[source, output] = spared
            waiting.extend(
                (source, output, owner, spared)
                for owner in self.owners[region]
                if self.of.get(owner) != self.of.get(source)
            )
        self.captures = {region: sorted(known) for region, known in taken.items()}
        self.spared = {
            region: frozenset(each for each, spared in known.items() if spared)
            for region, known in taken.items()
        }
