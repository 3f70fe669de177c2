"""Write a spell as Python source: one call of the builder for each of its parts.

Texts are escaped by a rule of our own, not by ``repr``, which differs between
versions of Python by the characters that they know.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from typing import Any

from spellwork.spell import Spell

from .order import as_given

_WIDTH = 92
_DEEPEST = 60
"""Values that nest deeper are written as JSON: Python reads no more than 200 brackets within each other."""

_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What editors and readers change, hide or turn around."""

_TAKEN = frozenset({"Workflow", "json", "wf", *keyword.kwlist, *keyword.softkwlist})

_HEAD = '''\
"""{title}

A spell, as a Workflow. Run it with Python; it needs the package spellwork.
"""
{imports}
from spellwork import Workflow

wf = Workflow({name})
'''

_FOOT = """\

if __name__ == "__main__":
    wf.main()
"""


def to_python(spell: Spell) -> bytes:
    """Return a script that builds the same spell and, when run, prints its outputs as JSON.

    ``read_python`` reads it back without running it.
    """
    body = as_given(spell)
    names = _names(body.get("nodes", {}))
    sections = [
        [_require(name, version) for name, version in body.get("requirements", {}).items()],
        [_call("wf.group", part, id) for id, part in body.get("groups", {}).items()],
        [f"{names[id]} = {_node(part, id)}" for id, part in body.get("nodes", {}).items()],
        [_wire(edge, id, names) for id, edge in body.get("edges", {}).items()],
        [_call("wf.note", part, id) for id, part in body.get("notes", {}).items()],
        [_call("wf.test", part, id) for id, part in body.get("tests", {}).items()],
    ]
    parts = "".join("\n" + "\n".join(section) + "\n" for section in sections if section)
    head = _HEAD.format(
        title=_title(spell.name),
        imports="\nimport json\n" if "json.loads(" in parts else "",
        name=_text(body["name"]) if "name" in body else "",
    )
    return (head + parts + _FOOT).encode("utf-8")


def _title(name: str) -> str:
    line = " ".join(name.split()).replace("\\", "\\\\").replace('"', '\\"')
    return _ODD.sub(_escape, line) or "Untitled"


def _names(nodes: dict[str, Any]) -> dict[str, str]:
    """Return a name for the step of each node: its id, as far as that can be a name."""
    names: dict[str, str] = {}
    taken = set(_TAKEN)
    for id in nodes:
        base = id.replace("-", "_")
        if base[0].isdigit() or base.startswith("__"):
            base = f"n_{base}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        names[id] = name
        taken.add(name)
    return names


def _node(part: dict[str, Any], id: str) -> str:
    first = [_text(part["type"])]
    if "inputs" in part:
        first.append(_literal(part["inputs"], 4))
    fields = {key: value for key, value in part.items() if key not in ("type", "inputs")}
    return _layout("wf.node", [*first, f"id={_text(id)}", *_keywords(fields)])


def _require(name: str, version: str) -> str:
    return _layout("wf.require", [_text(name), *([_text(version)] if version else [])])


def _wire(edge: dict[str, Any], id: str, names: dict[str, str]) -> str:
    ends = [
        f"{names[node]}[{_text(port)}]" if node in names else f"({_text(node)}, {_text(port)})"
        for node, port in ((edge["source"], edge["output"]), (edge["target"], edge["input"]))
    ]
    more = {"transform": edge["transform"]} if "transform" in edge else {}
    return _layout("wf.wire", [*ends, f"id={_text(id)}", *_keywords(more)])


def _call(function: str, part: dict[str, Any], id: str) -> str:
    """Return the call for a group, a note or a test; what it is called comes first."""
    first = [_literal(part[key], 4) for key in ("name", "text") if key in part]
    rest = {key: value for key, value in part.items() if key not in ("name", "text")}
    return _layout(function, [*first, f"id={_text(id)}", *_keywords(rest)])


def _keywords(fields: dict[str, Any]) -> list[str]:
    return [f"{key}={_literal(value, 4)}" for key, value in fields.items()]


def _layout(function: str, arguments: list[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"{function}(\n{lines})"


def _literal(value: Any, indent: int) -> str:
    if _is_odd(value, _DEEPEST):
        return f"json.loads({_text(json.dumps(value, ensure_ascii=False))})"
    return _plain(value, indent)


def _is_odd(value: Any, depth: int) -> bool:
    """Tell whether a value has no literal: not a number, or too deep."""
    if isinstance(value, (list, dict)):
        items = value.values() if isinstance(value, dict) else value
        return depth == 0 or any(_is_odd(item, depth - 1) for item in items)
    return isinstance(value, float) and not math.isfinite(value)


def _plain(value: Any, indent: int) -> str:
    if isinstance(value, str):
        return _block(value) if "\n" in value else _text(value)
    if not isinstance(value, (list, dict)):
        return repr(value)
    left, right = "[]" if isinstance(value, list) else "{}"
    items = (
        [_plain(item, indent + 4) for item in value]
        if isinstance(value, list)
        else [f"{_text(key)}: {_plain(item, indent + 4)}" for key, item in value.items()]
    )
    line = f"{left}{', '.join(items)}{right}"
    if len(line) + indent <= _WIDTH - 12 and "\n" not in line:
        return line
    inner = " " * (indent + 4)
    return f"{left}\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent + right


def _block(text: str) -> str:
    """Return a text of several lines as it reads, between triple quotes."""
    inner, last = (text[:-1], '\\"') if text.endswith('"') else (text, "")
    body = inner.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + last
    return f'"""\\\n{_ODD.sub(_escape, body)}"""'


def _text(text: str) -> str:
    return _ODD.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
