"""Wire steps by what fits: by name first, then by type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from spellwork.analysis import Analysis
from spellwork.autoconnect import suggest_edges
from spellwork.children import Spells
from spellwork.errors import WorkflowInvalid
from spellwork.library import Library
from spellwork.links import main_output
from spellwork.ports import Port, Ports
from spellwork.spell import Edge, Node, Spell
from spellwork.suggestion import fits, suggest_wires

from .handles import End, Parallel, Step


class Wiring:
    """The part of a sketch that finds wires. Ports come from the library, a body's from what is drawn."""

    _nodes: dict[str, Node]
    _edges: dict[str, Edge]
    _library: Library | None
    _spells: Spells | None
    _fed: dict[str, set[str]]
    wire: Callable[..., None]
    to_spell: Callable[[], Spell]

    @cached_property
    def _ports(self) -> dict[str, tuple[Node, Ports | None]]:
        return {}

    @property
    def library(self) -> Library:
        """The node types there are."""
        if self._library is None:
            self._library = Library.installed()
        return self._library

    def join(self, source: Any, target: Any) -> Any:
        """Wire ``source >> target``: steps, ends, or several beside each other; return what ``target`` leads to.

        Raises:
            WorkflowInvalid: when nothing of the one fits the other, naming the
                ports that there are.
        """
        if isinstance(target, (list, tuple)):
            target = Parallel(self, tuple(target))  # type: ignore[arg-type]
        if isinstance(target, Parallel):
            for step in target:
                self.join(source, step)
            return target
        if isinstance(source, Parallel):
            self._gather(source, target)
        else:
            self._connect(source, target)
        return Step(target.sketch, target.node if isinstance(target, End) else target.id)

    def auto_connect(self, *steps: Step[Any]) -> int:
        """Wire the free inputs of ``steps`` (of all, if none are given) from the steps before; return how many wires.

        As the editor does: an input takes the nearest output of its name, a
        required one else the nearest that fits. What has a wire or a value is
        left alone.
        """
        drawn = 0
        for id in [step.id for step in steps] or list(self._nodes):
            for edge in suggest_edges(self._before(id), self.ports, id):
                self.wire((edge.source, edge.output), (edge.target, edge.input))
                drawn += 1
        return drawn

    def ports(self, id: str) -> Ports | None:
        """Return the ports of a node; None when its type is not known."""
        node = self._nodes.get(id)
        declared = None if node is None else self.library.get(node.type, node.version)
        if node is None or declared is None:
            return None
        if declared.body_ports is None or node.settings.body is None:
            known = self._ports.get(id)
            if known is None or known[0] is not node:  # reading them anew may take a parser
                known = self._ports[id] = node, self.library.ports(node, self._spells)
            return known[1]
        part = Analysis(self.to_spell(), self.library, self._spells).parts.get(id)
        return None if part is None else part.ports

    def _before(self, id: str) -> Spell:
        """Return the spell with the nodes up to ``id`` only: those after it feed nothing before them."""
        kept: dict[str, Node] = {}
        for each, node in self._nodes.items():
            kept[each] = node
            if each == id:
                break
        edges = {
            key: edge
            for key, edge in self._edges.items()
            if edge.source in kept and edge.target in kept
        }
        order = {each: (float(-number), 0.0) for number, each in enumerate(kept)}
        placed = {  # near is what was added last
            each: node.model_copy(update={"position": order[each]}) for each, node in kept.items()
        }
        return Spell.model_construct(nodes=placed, edges=edges)

    def _connect(self, source: Any, target: Any) -> None:
        if isinstance(source, End) and isinstance(target, End):
            self.wire(source, target)
            return
        if isinstance(source, Step) and source.renames and isinstance(target, Step):
            for output, port in source.renames.items():
                self.wire(source[output], target[port])
            return
        if isinstance(target, End):
            self.wire(source[self._main(source.id)], target)
            return
        node = source.node if isinstance(source, End) else source.id
        given, wanted = self._known(node), self._known(target.id)
        if isinstance(source, End):
            given = Ports((), (given.output(source.port) or Port(source.port),))
        wires = suggest_wires(given, wanted, self._taken(target.id))
        if not wires:
            free = [port for port in wanted.inputs if port.name not in self._taken(target.id)]
            raise WorkflowInvalid(
                f"nothing of {node!r} fits {target.id!r}: it gives {_names(given.outputs)};"
                f" free to take are {_names(free)}"
            )
        for name, port in wires:
            self.wire((node, name), (target.id, port))

    def _gather(self, sources: Iterable[Step[Any]], target: Any) -> None:
        """Wire several steps to one: each to an input of its own, or all to one that takes many."""
        steps = list(sources)
        if isinstance(target, End) or any(step.renames for step in steps):
            for step in steps:
                self._connect(step, target)
            return
        wanted = self._known(target.id)
        many = next((port for port in wanted.inputs if port.many), None)
        for step in steps:
            output = main_output({port.name: port for port in self._known(step.id).outputs})
            if many is not None and output is not None and fits(output, many) is None:
                self.wire(step[output.name], target[many.name])
            else:
                self._connect(step, target)

    def _main(self, id: str) -> str:
        outputs = self._known(id).outputs
        output = main_output({port.name: port for port in outputs})
        if output is None:
            raise WorkflowInvalid(f"say which output of {id!r}: {_names(outputs)}")
        return output.name

    def _known(self, id: str) -> Ports:
        ports = self.ports(id)
        if ports is None:
            node = self._nodes.get(id)
            what = f"the type {node.type!r} of {id!r}" if node else f"a node {id!r}"
            like = ", ".join(self.library.like(node.type)) if node else ""
            raise WorkflowInvalid(
                f"{what} is not known{f' (do you mean {like}?)' if like else ''}:"
                ' where it is, name the ports: a["out"] >> b["in"]'
            )
        return ports

    def _taken(self, id: str) -> set[str]:
        """Return the inputs of a node that have a wire or a value."""
        return self._fed.get(id, set()) | self._nodes[id].inputs.keys()


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(port.name for port in ports) or "nothing"
