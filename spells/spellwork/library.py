"""The library: every node type that spells may use here."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from .analysis import Analysis
from .bodies import Spells
from .errors import CodeError, PackInvalid
from .migration import NodeUpgrade, upgrade
from .node_type import NodeType
from .pack import ENTRY_POINT_GROUP, Pack
from .ports import Ports
from .spell import Node, Spell


class Libraries(Protocol):
    """What has the library of each canvas. One ``Library`` is that of all."""

    def of(self, canvas: str | None) -> Library:
        """Return the library of a canvas as it is now: the same object until it is another one."""


class Library:
    """Node types by id and version. Immutable once made.

    ``problems`` maps the name of each pack that failed to load to the reason.
    """

    def __init__(self, packs: Sequence[Pack], problems: dict[str, str] | None = None) -> None:
        self.packs = tuple(packs)
        self.problems = dict(problems or {})
        self._versions: dict[str, dict[int, NodeType]] = {}
        for pack in self.packs:
            for node_type in pack.nodes:
                self._add(pack, node_type)

    def _add(self, pack: Pack, node_type: NodeType) -> None:
        versions = self._versions.setdefault(node_type.id, {})
        if node_type.version in versions:
            raise PackInvalid(
                f"pack {pack.name!r} brings {node_type.id!r} version {node_type.version} a second time"
            )
        versions[node_type.version] = node_type

    @classmethod
    def installed(cls) -> Library:
        """Return the library of all packs installed here. A pack that does not load is left out, with its reason."""
        return cls.loaded(entry_points(group=ENTRY_POINT_GROUP))

    @classmethod
    def loaded(cls, points: Iterable[EntryPoint]) -> Library:
        """Return the library of the packs that these entry points name, in the order of their names."""
        packs: list[Pack] = []
        problems: dict[str, str] = {}
        for point in sorted(points, key=lambda point: point.name):
            try:
                pack = point.load()
                if not isinstance(pack, Pack):
                    raise PackInvalid(
                        f"{point.value} is a {type(pack).__name__}, not a spellwork.Pack"
                    )
                cls([*packs, pack])
            except Exception as error:  # noqa: BLE001 - an edge: a pack is foreign code
                problems[point.name] = f"{type(error).__name__}: {error}"
            else:
                packs.append(pack)
        return cls(packs, problems)

    def of(self, canvas: str | None) -> Library:
        """Return this one, as ``Libraries`` does."""
        return self

    def extended(self, packs: Sequence[Pack], problems: Mapping[str, str]) -> Library:
        """Return one with further packs. Raises PackInvalid where one has the name of a pack that is here already."""
        names = [pack.name for pack in (*self.packs, *packs)]
        for pack in packs:
            if names.count(pack.name) > 1:
                raise PackInvalid(f"there is a pack {pack.name!r} already")
        return Library([*self.packs, *packs], self.problems | dict(problems))

    def get(self, type: str, version: int | None = None) -> NodeType | None:
        """Return a node type; the newest version when none is named."""
        versions = self._versions.get(type)
        if versions is None:
            return None
        return versions.get(max(versions) if version is None else version)

    def types(self) -> list[NodeType]:
        """Return the newest version of every node type, by id."""
        return [versions[max(versions)] for _, versions in sorted(self._versions.items())]

    def ports(self, node: Node, spells: Spells | None = None) -> Ports | None:
        """Return a node's own ports, or None when its type is unknown.

        Code that does not parse leaves the ports its type declares, and so does
        a body that ``spells`` does not find, or that is a group.
        """
        node_type = self.get(node.type, node.version)
        if node_type is None:
            return None
        if node_type.body_ports is not None:
            alone = Spell.model_construct(nodes={"node": node}, edges={}, groups={})
            return Analysis(alone, self, spells).parts["node"].ports
        if node_type.resolve is None:
            return node_type.ports
        try:
            return node_type.resolve(node)
        except CodeError:
            return node_type.ports

    def older(self) -> list[NodeType]:
        """Return every version but the newest of every node type, by id and version."""
        return [
            versions[version]
            for _, versions in sorted(self._versions.items())
            for version in sorted(versions)[:-1]
        ]

    def newer(self, node: Node) -> NodeType | None:
        """Return the newest version of a node's type when the node names an older one."""
        newest = None if node.version is None else self.get(node.type)
        return newest if newest is not None and newest.version > (node.version or 0) else None

    def upgrade(
        self, spell: Spell, nodes: Collection[str] | None = None
    ) -> tuple[Spell, tuple[NodeUpgrade, ...]]:
        """Return the spell with its old nodes (of ``nodes``, if given) at the newest versions, and what became of each."""
        return upgrade(spell, self, nodes)

    def like(self, type: str) -> list[str]:
        """Return the ids nearest to one that is not known, best first."""
        return difflib.get_close_matches(type, self._versions, n=5, cutoff=0.6)
