"""What a spell gives, worked out in the plainest way: one node after the other, in the order of their names.

For spells of ``ref.mix`` and ``core.spell`` over groups, as ``test_reference`` draws them. Nothing here is shared
with the engine but what one transform does to one value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spellwork.spell import Default, Edge, Spell
from spellwork.transform import TransformError, reshape

NOTHING: Any = object()
"""What an output brings that brings nothing."""


class Failed(Exception):
    """A node failed, with a code."""


@dataclass
class Left:
    """What a run leaves: outputs by node and port, codes of failures, and what was skipped."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)


def number_in(value: Any) -> int:
    """Return the sum of the whole numbers in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum(map(number_in, value))
    return value if type(value) is int else 0


def mixed(values: list[Any], one: Any, own: int) -> dict[str, Any]:
    """Return what ``ref.mix`` gives; NOTHING is on no port, and Failed says that it fails."""
    total = (number_in(values) + number_in(one) + own) % 11
    if total == 3:
        raise Failed("three")
    return {"a": NOTHING if total == 5 else total, "b": [total, total + 1]}


class Reference:
    """Interprets one spell; a body is interpreted as a spell of its own, that sees what lies around it."""

    def __init__(self, spell: Spell) -> None:
        self.spell = spell
        self.owned = {
            node.settings.body.group for node in spell.nodes.values() if node.settings.body
        }

    def run(self) -> Left:
        """Return what a run of the spell leaves."""
        left = Left()
        for id, node in sorted(self.spell.nodes.items()):
            if node.group not in self.owned:
                self._step(id, left)
        return left

    def _step(self, id: str, left: Left, given: Any = NOTHING) -> None:
        try:
            outputs = self._outputs(id, left, given)
        except Failed as failed:
            left.errors[id] = str(failed)
            if "error" in self._wired(id):
                left.outputs[id] = {"error": {"code": str(failed), "attempts": 1}}
            return
        if outputs is None:
            left.skipped.add(id)
            return
        came = {port: value for port, value in outputs.items() if value is not NOTHING}
        if "all" in self._wired(id):
            came["all"] = dict(came)
        left.outputs[id] = came

    def _outputs(self, id: str, left: Left, given: Any) -> dict[str, Any] | None:
        node = self.spell.nodes[id]
        settings, ports = node.settings, self._ports(id)
        if settings.mode == "mute":
            return None
        needed = self._wired(id) - {"error"}
        if "all" in needed or not needed:
            needed = (needed | set(ports)) - {"all"}
        if settings.pins and needed <= settings.pins.keys():
            return dict(settings.pins)
        if settings.mode == "bypass":
            return self._bypassed(id, left, ports)
        if node.type == "core.input":
            return {"value": given}
        if any(self._lacks(edge, left) for edge in self._wires(id)) or any(
            edge.output not in left.outputs.get(edge.source, {}) for edge in self._captures(id)
        ):
            return None
        if node.type == "core.spell":
            outputs = self._sub(id, left)
        elif node.type == "core.output":
            outputs = {"value": self._one(id, "value", left)}
        else:
            one = self._one(id, "one", left)
            values = self._several(id, left)
            outputs = mixed(values, 0 if one is NOTHING else one, number_in(node.inputs.get("own")))
        return outputs | settings.pins

    def _bypassed(self, id: str, left: Left, ports: tuple[str, ...]) -> dict[str, Any] | None:
        for port in ("values", "one"):
            if self._wires(id, port):
                value = self._several(id, left) if port == "values" else self._one(id, port, left)
                outputs = (
                    {}
                    if value is NOTHING or (port, value) == ("values", [])
                    else dict.fromkeys(ports, value)
                )
                return outputs | self.spell.nodes[id].settings.pins or None
        own = self.spell.nodes[id].inputs.get("own", NOTHING)
        outputs = {} if own is NOTHING else {"a": own}
        return outputs | self.spell.nodes[id].settings.pins or None

    def _sub(self, id: str, left: Left) -> dict[str, Any]:
        edges = self._wires(id, "x")
        given = self._one(id, "x", left)
        body = self.spell.nodes[id].settings.body
        takes = [
            node.inputs["schema"]
            for node in self.spell.nodes.values()
            if body and node.group == body.group and node.type == "core.input"
        ]
        if takes != [{"type": "integer"}]:
            return {"y": self._body(id, given, left)}
        fans_out = edges[0].output == "b"
        items = given if fans_out else [given]
        if not isinstance(items, list) or any(type(item) is not int for item in items):
            raise Failed("invalid_input")
        came = [self._body(id, item, left) for item in items]
        if not fans_out:
            return {"y": came[0]}
        return {"y": [None if each is NOTHING else each for each in came]}

    def _body(self, id: str, given: Any, around: Left) -> Any:
        body = self.spell.nodes[id].settings.body
        inside = Left(outputs=dict(around.outputs))
        members = sorted(
            each for each, node in self.spell.nodes.items() if body and node.group == body.group
        )
        for each in members:
            self._step(each, inside, given)
        for each in members:
            if each in inside.errors and "error" not in self._wired(each):
                raise Failed(inside.errors[each])
        end = next(each for each in members if self.spell.nodes[each].type == "core.output")
        return inside.outputs.get(end, {}).get("value", NOTHING)

    # Wires

    def _ports(self, id: str) -> tuple[str, ...]:
        return {"ref.mix": ("a", "b"), "core.spell": ("y",)}.get(
            self.spell.nodes[id].type, ("value",)
        )

    def _wired(self, id: str) -> set[str]:
        return {edge.output for edge in self.spell.edges.values() if edge.source == id}

    def _wires(self, id: str, port: str | None = None) -> list[Edge]:
        return [
            edge
            for _, edge in sorted(self.spell.edges.items())
            if edge.target == id and port in (None, edge.input)
        ]

    def _captures(self, id: str) -> list[Edge]:
        """Return the wires that come into a node's body from outside."""
        nodes, body = self.spell.nodes, self.spell.nodes[id].settings.body
        return [
            edge
            for edge in self.spell.edges.values()
            if body and nodes[edge.target].group == body.group != nodes[edge.source].group
        ]

    def _lacks(self, edge: Edge, left: Left) -> bool:
        if any(isinstance(each, Default) for each in edge.transform):
            return False
        return edge.output not in left.outputs.get(edge.source, {})

    def _brings(self, edge: Edge, left: Left) -> Any:
        value = left.outputs.get(edge.source, {}).get(edge.output, NOTHING)
        transforms = list(edge.transform)
        if value is NOTHING:
            while transforms and not isinstance(transforms[0], Default):
                transforms.pop(0)
            if not transforms:
                return NOTHING
            value = None
        try:
            return reshape(value, transforms)
        except TransformError as error:
            raise Failed("transform_failed") from error

    def _one(self, id: str, port: str, left: Left) -> Any:
        edges = self._wires(id, port)
        return self._brings(edges[0], left) if edges else NOTHING

    def _several(self, id: str, left: Left) -> list[Any]:
        values = [self._brings(edge, left) for edge in self._wires(id, "values")]
        return [value for value in values if value is not NOTHING]
