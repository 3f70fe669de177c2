"""What code reads by name, without a wire: found among what other code declares and what nodes are called.

A name that cannot be found, or that several declare, is told where it stands in the code.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .links import Link, main_output, named
from .ports import Place, Port
from .suggestion import fits

if TYPE_CHECKING:
    from .analysis import Analysis, Part

RESULT = "result"
"""The output of an expression or a function: every other cell has one, so it is no name to read."""

LIKE = 50
"""Names that are not found and for which close ones are looked up; the rest is told without."""

_TYPING = (
    "Annotated",
    "Any",
    "Literal",
    "NamedTuple",
    "NewType",
    "Optional",
    "TypedDict",
    "TypeVar",
)
COMMON_NAMES = {name: f"from typing import {name}" for name in _TYPING} | {
    "dataclass": "from dataclasses import dataclass",
    "datetime": "from datetime import datetime",
    "Counter": "from collections import Counter",
    "defaultdict": "from collections import defaultdict",
    "Path": "from pathlib import Path",
    "BaseModel": "from pydantic import BaseModel",
}
"""What people forget to import."""

COMMON_MODULES = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
}


class NamesInCode:
    """Reads, once the wires are known, what code nodes name without one."""

    def __init__(
        self, analysis: Analysis, fit: Callable[[Port, Port], tuple[str | None, bool]]
    ) -> None:
        self._analysis = analysis
        self._fit = fit
        self._called: dict[str, list[str]] = {}
        self._declared: dict[str, list[str]] = {}
        self._clashes: dict[str, set[str]] = {}
        self._misfits: dict[tuple[str, str], str] = {}
        self._like = LIKE

    def read(self) -> None:
        """Link what is named, and tell what is wrong with names."""
        parts = self._analysis.parts
        coded = [part for part in parts.values() if part.type.language and not part.loose]
        if not coded:
            return
        for id, node in self._analysis.spell.nodes.items():
            if node.name:
                self._called.setdefault(node.name, []).append(id)
        for part in coded:
            for output in part.outputs.values():
                if output.place is not None and output.name != RESULT:
                    self._declared.setdefault(output.name, []).append(part.id)
        for part in coded:
            for port in list(part.inputs.values()):
                if port.name not in part.links and port.name not in part.node.inputs:
                    self._read(part, port)
            for remark in part.ports.remarks:
                self._warn(remark.code, part, remark.message, remark.place)
        self._tell_redefined()

    def missing(self, part: Part, name: str) -> tuple[str, dict[str, Any]]:
        """Return what to add to the message, and the details, of an input that nothing gives."""
        port = part.inputs[name]
        details: dict[str, Any] = _at(port.place)
        misfit = self._misfits.get((part.id, name))
        if misfit is not None:
            return f"; {misfit}", details
        if part.type.language is None or port.place is None:
            return "", details
        module = _module(name) if part.type.language == "python" else None
        if module is not None:
            return f"; write {module!r} first", details
        known = self._names_like(part, name)
        if known:
            return f"; did you mean {known[0]!r}?", details | {"known": known}
        return "", details

    # One name

    def _read(self, part: Part, port: Port) -> None:
        found = self._found(part, port.name)
        if len(found) == 1:
            (source,) = found
            self._link(part, port, source, found[source])
        elif found:
            self._tell_ambiguous(part, port, list(found))
        elif port.required and self._is_own(part, port.name):
            self._blame(
                "reads_itself",
                part,
                port,
                f"{port.name!r} is read before the cell gives it a value, and nothing else gives one",
            )

    def _found(self, part: Part, name: str) -> dict[str, Port]:
        """Return, by node, the outputs that a name may mean; note who else declares it."""
        analysis = self._analysis
        sees = analysis.regions.sees
        outputs: dict[str, Port] = {}
        for id in self._called.get(name, ()):
            called = analysis.parts.get(id)
            main = None if called is None else main_output(called.outputs)
            if main is not None:
                outputs[id] = main
        for id in self._declared.get(name, ()):
            outputs[id] = analysis.parts[id].outputs[name]
        outputs = {id: port for id, port in outputs.items() if sees(part.id, id)}
        if len(outputs) > 1:
            nodes = analysis.spell.nodes
            outputs = {
                id: port for id, port in outputs.items() if nodes[id].settings.mode != "mute"
            } or outputs
        declaring = outputs.keys() & set(self._declared.get(name, ()))
        if len(declaring) > 1:
            self._clashes.setdefault(name, set()).update(declaring)
        outputs.pop(part.id, None)
        if not outputs and name != part.id and name in analysis.parts and sees(part.id, name):
            main = main_output(analysis.parts[name].outputs)
            return {} if main is None else {name: main}
        return outputs

    def _is_own(self, part: Part, name: str) -> bool:
        return part.node.name == name or part.id in self._declared.get(name, ())

    def _link(self, part: Part, port: Port, source: str, output: Port) -> None:
        reason, proven = self._fit(output, port)
        if fits(output, port) is not None:
            node = self._analysis.spell.nodes[source]
            self._misfits[part.id, port.name] = (
                f"the output {output.name!r} of {named(source, node)} does not fit: {reason}"
            )
            return
        part.links[port.name] = [Link(source, output.name, None, proven=proven)]
        self._analysis.needs.setdefault(part.id, []).append(source)

    # What is wrong

    def _tell_ambiguous(self, part: Part, port: Port, sources: list[str]) -> None:
        nodes = self._analysis.spell.nodes
        who = " and ".join(named(id, nodes[id]) for id in sorted(sources)[:3])
        more = f" and {len(sources) - 3} more" if len(sources) > 3 else ""
        self._blame(
            "ambiguous_name",
            part,
            port,
            f"{port.name!r} may be what {who}{more} gives: rename one, or draw a wire",
            {"sources": sorted(sources)[:100]},
        )

    def _tell_redefined(self) -> None:
        for name, ids in sorted(self._clashes.items()):
            for id in sorted(ids):
                part = self._analysis.parts[id]
                others = sorted(ids - {id})
                who = named(others[0], self._analysis.spell.nodes[others[0]])
                more = f" and {len(others) - 1} more" if len(others) > 1 else ""
                self._warn(
                    "redefined_name",
                    part,
                    f"{name!r} is declared in {who}{more}, too: who reads it by name cannot tell which",
                    part.outputs[name].place,
                    name,
                    {"others": others[:100]},
                )

    def _blame(
        self,
        code: Any,
        part: Part,
        port: Port,
        message: str,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Tell of an input that nothing can be linked to; where it has a default, that is used."""
        details = (details or {}) | _at(port.place)
        if not port.required:
            self._warn(code, part, message, port.place, port.name, details)
            return
        self._analysis.blame(part, code, message, port.name, details)
        self._analysis.told.add((part.id, port.name))

    def _warn(
        self,
        code: Any,
        part: Part,
        message: str,
        place: Place | None,
        port: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        self._analysis.add(
            code,
            f"{named(part.id, part.node)}: {message}",
            node=part.id,
            port=port,
            severity="warning",
            details=(details or {}) | _at(place),
        )

    def _names_like(self, part: Part, name: str) -> list[str]:
        """Return up to three names that are written much the same, the nearest first."""
        self._like -= 1
        if self._like < 0:
            return []
        near = (
            each
            for each in dict.fromkeys((*self._declared, *self._called))
            if abs(len(each) - len(name)) <= 2 and not self._is_own(part, each)
        )
        known = [each for each, _ in zip(near, range(1_000), strict=False)]
        return difflib.get_close_matches(name, known, n=3, cutoff=0.7)


def _at(place: Place | None) -> dict[str, int]:
    return {} if place is None else place.to_json()


def _module(name: str) -> str | None:
    """Return the import that whoever reads this name has probably forgotten."""
    return (
        COMMON_NAMES.get(name)
        or COMMON_MODULES.get(name)
        or (
            f"import {name}"
            if name in sys.stdlib_module_names and not name.startswith("_")
            else None
        )
    )
