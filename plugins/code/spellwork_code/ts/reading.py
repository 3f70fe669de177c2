"""What is kept of a TypeScript cell that was read: its ports, and what a worker needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from spellwork.ports import Place, Ports, Remark

from .cells import Form, parse_cell
from .known import KNOWN
from .unit import unit_of


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's form, its ports, and its unit (see ``unit``), without its syntax tree."""

    form: Form
    ports: Ports
    unit: dict[str, Any]


@lru_cache(maxsize=512)
def read_cell(code: str) -> Cell:
    """Return what the cell is.

    Raises:
        CellError: it is not TypeScript, it is too long, or it has what has no place in a cell.
    """
    parsed = parse_cell(code)
    remarks = tuple(
        Remark(
            "shadows_builtin",
            f"{port.name!r} is a name of TypeScript's own: other cells that read it get that, not this one",
            port.place,
        )
        for port in parsed.outputs
        if port.name in KNOWN
    )
    ports = Ports(parsed.inputs, parsed.outputs, parsed.extra_inputs, remarks=remarks)
    return Cell(parsed.form, ports, unit_of(parsed))


def mentions(code: str, name: str) -> tuple[Place, ...]:
    """Return every place in which a cell speaks of a name of its top level, in order.

    Raises:
        CellError: as of ``read_cell``.
    """
    found = set(parse_cell(code).mentions.get(name, ()))
    return tuple(sorted(found, key=lambda place: (place.line, place.column)))
