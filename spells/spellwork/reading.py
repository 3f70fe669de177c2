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
            return yaml.safe_load(text)
        return msgspec.json.decode(text)
    except (yaml.YAMLError, msgspec.DecodeError) as error:
        raise SpellUnreadable(
            f"{path} is not {'YAML' if path.suffix != '.json' else 'JSON'}: {error}"
        ) from error


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
