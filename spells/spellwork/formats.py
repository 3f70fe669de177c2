"""Write a spell or a plan as YAML, as MessagePack, or as a Python script; read what can be read back.

- ``yaml``: of a spell, the spell itself in a form that merges well (sorted
  keys, layout apart from meaning, code as block text); of a plan, its steps.
- ``ir``: the plan as canonical MessagePack: ``Plan.to_bytes``.
- ``python``: a script that builds the same spell and runs it.

All are deterministic: the same spell gives the same bytes.
"""

from __future__ import annotations

import pprint
from typing import Any, Literal

import msgspec
import yaml

from .compiler import compile
from .errors import SpellworkError
from .library import Library
from .plan import PLAN_FORMAT, Plan
from .spell import Spell

Kind = Literal["yaml", "ir", "python"]
KINDS: tuple[Kind, ...] = ("yaml", "ir", "python")


class FormatInvalid(SpellworkError):
    """A kind that cannot be written, or bytes that are not what they should be."""

    code = "format_invalid"


def write(source: Spell | Plan, kind: Kind | str, library: Library | None = None) -> bytes:
    """Return ``source`` in one of ``KINDS``. ``library`` compiles a spell to ``ir``; all installed packs if not given.

    Raises:
        FormatInvalid: for an unknown kind, or a plan as Python.
        SpellInvalid: when a spell cannot be compiled to ``ir``.
    """
    if kind == "yaml":
        return to_yaml(source)
    if kind == "ir":
        return to_ir(
            source if isinstance(source, Plan) else compile(source, library or Library.installed())
        )
    if kind == "python" and isinstance(source, Spell):
        return to_python(source)
    if kind == "python":
        raise FormatInvalid("a plan cannot be written as Python, only a spell")
    raise FormatInvalid(f"unknown format {kind!r}; there are {', '.join(KINDS)}")


def to_yaml(source: Spell | Plan) -> bytes:
    """Return a spell or a plan as YAML. ``run`` and ``read_spell`` read a spell's back."""
    return _dump(ordered(source.to_json()) if isinstance(source, Spell) else source.to_json())


def _dump(body: dict[str, Any]) -> bytes:
    text = yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text.encode("utf-8")


def to_manifest(plan: Plan, spell: Spell) -> bytes:
    """Return a plan as YAML together with the spell it was made from, which ``read_spell`` reads back."""
    return _dump(plan.to_json() | {"spell": ordered(spell.to_json())})


def to_ir(plan: Plan) -> bytes:
    """Return a plan as canonical MessagePack."""
    return plan.to_bytes()


def read_ir(data: bytes) -> dict[str, Any]:
    """Return what ``to_ir`` wrote, as JSON values.

    Raises:
        FormatInvalid: when ``data`` is not a plan of this format.
    """
    try:
        body = msgspec.msgpack.decode(data)
    except msgspec.DecodeError as error:
        raise FormatInvalid(f"not a plan: {error}") from error
    if not isinstance(body, dict) or body.get("plan") != PLAN_FORMAT:
        raise FormatInvalid(f"not a plan of format {PLAN_FORMAT}")
    return body


_SCRIPT = '''\
"""{title}: a spell, as a script. Run it with Python; it needs the package spellwork."""

import json

import spellwork
from spellwork.values import to_json

SPELL = {spell}


def main() -> None:
    """Run the spell and print its outputs as JSON."""
    result = spellwork.run(SPELL)
    print(json.dumps(to_json(result.outputs), indent=2, ensure_ascii=False))
    for node, failure in result.errors.items():
        raise SystemExit(f"{{node}}: {{failure.message}}")


if __name__ == "__main__":
    main()
'''


def to_python(spell: Spell) -> bytes:
    """Return a script that builds the same spell and runs it, printing the outputs as JSON."""
    body = pprint.pformat(ordered(spell.to_json()), indent=1, width=100, sort_dicts=False)
    title = spell.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return _SCRIPT.format(title=title, spell=body).encode("utf-8")


def ordered(spell: dict[str, Any]) -> dict[str, Any]:
    """Return a spell's JSON with its parts by id and the keys of each part in one order, layout last."""
    body = dict(spell)
    for kind in ("nodes", "edges", "groups", "notes"):
        if kind in body:
            body[kind] = {id: _ordered_part(part) for id, part in sorted(body[kind].items())}
    return body


_LAST = ("inputs", "code", "settings", "group", "color", "position", "size")


def _ordered_part(part: dict[str, Any]) -> dict[str, Any]:
    keys = sorted(
        part, key=lambda key: (_LAST.index(key) + 1 if key in _LAST else 0, list(part).index(key))
    )
    return {key: _sorted_values(part[key]) for key in keys}


def _sorted_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted_values(value[key]) for key in sorted(value)}
    return [_sorted_values(item) for item in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and positions in one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    short = len(items) <= 4 and all(
        isinstance(item, (int, float, str, bool)) or item is None for item in items
    )
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
