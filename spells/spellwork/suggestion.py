"""Propose wires between two nodes: by name first, then by type."""

from __future__ import annotations

from .ports import Port, Ports
from .schemas import items_of, mismatch, proves


def suggest_wires(
    source: Ports, target: Ports, taken: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """Return (output, input) pairs worth wiring from ``source`` to ``target``, in the order of the inputs.

    A pair of equal names whose types can fit always comes. Each output not
    used so goes to the first free input that surely takes it, then to the
    first that may; of those, required inputs first. ``taken`` names the inputs
    that are fed already.
    """
    free = [port for port in target.inputs if port.name not in taken or port.many]
    pairs: dict[str, str] = {}
    for port in free:
        output = source.output(port.name)
        if output is not None and fits(output, port) is None:
            pairs[port.name] = output.name
    for certain in (True, False):
        for output in source.outputs:
            if output.name in pairs.values():
                continue
            for port in sorted(free, key=lambda port: not port.required):
                if port.name not in pairs and _takes(output, port, certain):
                    pairs[port.name] = output.name
                    break
    return [(pairs[port.name], port.name) for port in free if port.name in pairs]


def fits(output: Port, port: Port) -> str | None:
    """Return why an output cannot be wired to an input, or None when it can."""
    return mismatch(output.schema, wanted_of(port))


def wanted_of(port: Port) -> dict[str, object]:
    """Return the schema that one wire to this input must meet."""
    if port.trigger:
        return {}
    return items_of(port.schema) if port.many else port.schema


def _takes(output: Port, port: Port, certain: bool) -> bool:
    if certain:
        return bool(wanted_of(port)) and proves(output.schema, wanted_of(port))
    return fits(output, port) is None
