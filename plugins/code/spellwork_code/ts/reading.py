"""What is kept of a TypeScript cell that was read: its ports, and what a worker needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from spellwork.ports import Ports

from .cells import Form, parse_cell
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
    ports = Ports(parsed.inputs, parsed.outputs, parsed.extra_inputs)
    return Cell(parsed.form, ports, unit_of(parsed))
