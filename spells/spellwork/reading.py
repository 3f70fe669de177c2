"""Read a spell from a file (JSON or YAML) or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError

from .errors import SpellUnreadable
from .spell import Spell

MAX_VALUES = 5_000_000
"""Values in a YAML file, each counted as often as it is named: ten lines of aliases can stand for billions."""

SpellSource = Spell | Mapping[str, Any] | str | PathLike[str]
"""A Spell, its JSON form, or the path of a file that holds it."""


def read_spell(source: SpellSource) -> Spell:
    """Return the spell that ``source`` is or names; of a plan's manifest, the spell it was made from.

    Raises:
        SpellUnreadable: when there is no such file, or what it holds is not a
            spell; ``details.errors`` lists each field at fault.
    """
    if isinstance(source, Spell):
        return source
    if isinstance(source, Mapping):
        return _parse(source, "the spell")
    if not isinstance(source, (str, PathLike)):
        raise SpellUnreadable(
            f"a spell is an object or the path of a file, not {type(source).__name__}"
        )
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpellUnreadable(f"{path} cannot be read: {error}") from error
    return _parse(_decode(text, path), str(path))


def _decode(text: str, path: Path) -> Any:
    try:
        if path.suffix in (".yaml", ".yml"):
            value = yaml.safe_load(text)
            if _count(value, {}) > MAX_VALUES:
                raise SpellUnreadable(f"{path} stands for more than {MAX_VALUES:,} values")
            return value
        return msgspec.json.decode(text)
    except (yaml.YAMLError, msgspec.DecodeError, RecursionError) as error:
        raise SpellUnreadable(
            f"{path} is not {'YAML' if path.suffix != '.json' else 'JSON'}: {error}"
        ) from error


def _count(value: Any, counted: dict[int, int]) -> int:
    """Count a value and what is in it; each list and object is walked through once."""
    if not isinstance(value, (list, dict)):
        return 1
    if id(value) not in counted:
        counted[id(value)] = MAX_VALUES + 1  # a value that is in itself has no end
        items = value.values() if isinstance(value, dict) else value
        counted[id(value)] = 1 + sum(_count(item, counted) for item in items)
    return counted[id(value)]


def _parse(value: Any, what: str) -> Spell:
    if isinstance(value, Mapping) and value.keys() >= {"plan", "spell"}:
        value = value["spell"]
    try:
        return Spell.model_validate(value)
    except ValidationError as error:
        errors = [
            {"field": ".".join(map(str, finding["loc"])), "message": finding["msg"]}
            for finding in error.errors(include_url=False)
        ]
        first = errors[0]
        raise SpellUnreadable(
            f"{what} is not a spell: {first['field'] or 'it'}: {first['message']}",
            details={"errors": errors},
        ) from error
