"""Renames what a cell declares, in the cell and in all that read it: one edit, or none."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

from spellwork import CodeError, Edge, Library, Node, Place, Spell
from spellwork.analysis import Analysis, Part
from spellwork_server.errors import BadRequest, Conflict


class Renaming:
    """One name of one node's code, and all who share it.

    Raises:
        BadRequest: the node has no such name, or its language renames nothing.
    """

    def __init__(self, spell: Spell, library: Library, node: str, name: str) -> None:
        self._spell = spell
        self._library = library
        self._name = name
        self._parts = Analysis(spell, library).parts
        part = self._parts.get(node)
        if part is None or part.loose or part.type.places is None:
            raise BadRequest.field("node", f"the names of {node!r} cannot be read")
        self._declaring = self._declarer(part)
        self.nodes = sorted(self._sharing(part))

    def _declarer(self, part: Part) -> str | None:
        """Return the node whose code declares the name; None where only this one speaks of it."""
        output = part.outputs.get(self._name)
        if output is not None and output.place is not None:
            return part.id
        if self._name not in part.inputs or part.inputs[self._name].place is None:
            raise BadRequest.field("name", f"the code has no input or output {self._name!r}")
        source = _named_source(part, self._name)
        return source if source is not None and self._declares(source) else None

    def _declares(self, id: str) -> bool:
        part = self._parts[id]
        output = part.outputs.get(self._name)
        return output is not None and output.place is not None and part.type.places is not None

    def _sharing(self, part: Part) -> Iterable[str]:
        """Yield the nodes whose code has to change."""
        if self._declaring is None:
            yield part.id
            return
        yield self._declaring
        for each in self._parts.values():
            if each.type.places and _named_source(each, self._name) == self._declaring:
                yield each.id

    def renamed(self, to: str) -> Spell:
        """Return the spell with the other name in code, wires, values and pins.

        Raises:
            BadRequest: that is no name.
            Conflict: one of the cells has that name already, or would mean something else with it.
        """
        to = as_written(to)
        nodes = {id: self._changed(self._spell.nodes[id], to) for id in self.nodes}
        edges = {
            id: changed
            for id, edge in self._spell.edges.items()
            if (changed := self._edge(edge, to)) is not edge
        }
        renamed = self._spell.model_copy(
            update={
                "nodes": {**self._spell.nodes, **nodes},
                "edges": {**self._spell.edges, **edges},
            }
        )
        self._check(renamed, to)
        return renamed

    def _changed(self, node: Node, to: str) -> Node:
        declared = self._library.get(node.type, node.version)
        assert declared is not None
        assert declared.places is not None
        code = node.code or ""
        inputs = {to if key == self._name else key: value for key, value in node.inputs.items()}
        pins = node.settings.pins
        kept = {to if key == self._name else key: value for key, value in pins.items()}
        return node.model_copy(
            update={
                "code": replaced(code, declared.places(code, self._name), to),
                "inputs": inputs,
                "settings": node.settings.model_copy(update={"pins": kept})
                if pins
                else node.settings,
            }
        )

    def _edge(self, edge: Edge, to: str) -> Edge:
        source, target = edge.output, edge.input
        if edge.source == self._declaring and edge.output == self._name:
            source = to
        if edge.target in self.nodes and edge.input == self._name:
            target = to
        if (source, target) == (edge.output, edge.input):
            return edge
        return Edge(edge.source, source, edge.target, target, edge.transform)

    def _check(self, renamed: Spell, to: str) -> None:
        """See that each cell has the ports that it had, but for the name."""
        for id in self.nodes:
            part, node = self._parts[id], renamed.nodes[id]
            assert part.type.resolve is not None
            try:
                ports = part.type.resolve(node)
            except CodeError as error:
                raise BadRequest.field("to", f"{to!r} is no name there: {error.message}") from error
            before = ([p.name for p in part.ports.inputs], [p.name for p in part.ports.outputs])
            after = ([p.name for p in ports.inputs], [p.name for p in ports.outputs])
            wanted = tuple(sorted(to if n == self._name else n for n in names) for names in before)
            known = {name for names in before for name in names}
            # What had that name before, a builtin or a local one, would now be this one.
            if (
                to in known
                or tuple(map(sorted, after)) != wanted
                or not self._is_alike(id, node, to)
            ):
                raise Conflict(
                    f"{id!r} would mean something else: {to!r} is in use there",
                    code="name_in_use",
                    details={"node": id},
                )

    def _is_alike(self, id: str, node: Node, to: str) -> bool:
        """Whether the code speaks as often of the new name as it did of the old one."""
        places = self._parts[id].type.places
        assert places is not None
        before = places(self._spell.nodes[id].code or "", self._name)
        return len(before) == len(places(node.code or "", to))


def as_written(name: str) -> str:
    """Return a name in the one form in which code that is read has it."""
    return unicodedata.normalize("NFKC", name)


def _named_source(part: Part, name: str) -> str | None:
    """Return the node whose output of that name a node reads by name."""
    for link in part.links.get(name, ()):
        if link.edge is None and link.output == name:
            return link.source
    return None


def replaced(code: str, places: Collection[Place], to: str) -> str:
    """Return the code with ``to`` at these places, which count characters from 1."""
    lines = _lines(code)
    for place in sorted(places, key=lambda each: (each.line, each.column), reverse=True):
        text = lines[place.line - 1]
        lines[place.line - 1] = text[: place.column - 1] + to + text[place.end_column - 1 :]
    return "".join(lines)


def _lines(code: str) -> list[str]:
    """Return the lines with their ends, split where languages split them."""
    found: list[str] = []
    rest = code.replace("\r\n", "\x00\n")  # code that was read holds no such character
    for line in rest.split("\n"):
        parts = line.removesuffix("\x00").split("\r")
        found += [part + "\r" for part in parts[:-1]]
        found.append(parts[-1] + ("\r\n" if line.endswith("\x00") else "\n"))
    found[-1] = found[-1].removesuffix("\n")
    return found
