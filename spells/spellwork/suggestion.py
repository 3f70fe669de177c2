"""Propose wires: by name first, then by type, then looking back over earlier nodes.

``client/src/editor/store/suggestion.ts`` proposes the same;
``tests/cases/suggestions.json`` holds for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from .ports import Port, Ports, is_reserved
from .schemas import items_of, mismatch, proves


def suggest_wires(
    source: Ports, target: Ports, taken: AbstractSet[str] = frozenset()
) -> list[tuple[str, str]]:
    """Return (output, input) pairs worth wiring from ``source`` to ``target``, in the order of the inputs.

    A pair of equal names whose types can fit always comes. Each output not
    used so goes to the first free input that surely takes it, then to the
    first that may; of those, required inputs first. ``taken`` names the inputs
    that are fed already. Triggers, and the outputs that every node has, are
    left to people.
    """
    free = _free(target, taken)
    pairs: dict[str, str] = {}
    for port in free:
        output = source.output(port.name)
        if output is not None and not is_reserved(output) and fits(output, port) is None:
            pairs[port.name] = output.name
    for certain in (True, False):
        for output in source.outputs:
            if output.name in pairs.values() or is_reserved(output):
                continue
            for port in sorted(free, key=lambda port: not port.required):
                if port.name not in pairs and _takes(output, port, certain):
                    pairs[port.name] = output.name
                    break
    return [(pairs[port.name], port.name) for port in free if port.name in pairs]


def suggest_back(
    earlier: Sequence[tuple[str, Ports]], target: Ports, taken: AbstractSet[str] = frozenset()
) -> list[tuple[str, str, str]]:
    """Return (node, output, input) worth wiring into ``target``, in the order of the inputs.

    ``earlier`` are the nodes that may feed it, the nearest first. An input
    takes the nearest output of its name that can fit; a required one, failing
    that, the nearest that surely fits, then the nearest that may. An output
    feeds one input, unless both are called as it is.
    """
    free = _free(target, taken)
    found: dict[str, tuple[str, str]] = {}
    for port in free:
        for id, ports in earlier:
            output = ports.output(port.name)
            if output is not None and not is_reserved(output) and fits(output, port) is None:
                found[port.name] = (id, output.name)
                break
    for certain in (True, False):
        for port in free:
            if port.required and port.name not in found:
                used = set(found.values())
                near = next(
                    (
                        (id, output.name)
                        for id, ports in earlier
                        for output in ports.outputs
                        if (id, output.name) not in used
                        and not is_reserved(output)
                        and _takes(output, port, certain)
                    ),
                    None,
                )
                if near is not None:
                    found[port.name] = near
    return [(*found[port.name], port.name) for port in free if port.name in found]


def fits(output: Port, port: Port) -> str | None:
    """Return why an output cannot be wired to an input, or None when it can."""
    return mismatch(output.schema, wanted_of(port))


def wanted_of(port: Port) -> dict[str, object]:
    """Return the schema that one wire to this input must meet."""
    if port.trigger:
        return {}
    return items_of(port.schema) if port.many else port.schema


def _free(target: Ports, taken: AbstractSet[str]) -> list[Port]:
    return [
        port for port in target.inputs if not port.trigger and (port.name not in taken or port.many)
    ]


def _takes(output: Port, port: Port, certain: bool) -> bool:
    if certain:
        return bool(wanted_of(port)) and proves(output.schema, wanted_of(port))
    return fits(output, port) is None
