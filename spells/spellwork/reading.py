"""Read a spell from a file in any form, a folder, or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .errors import FormatInvalid, SpellUnreadable
from .findings import findings
from .formats import Form, form_of, read_folder, read_form
from .library import Library
from .spell import Spell

SpellSource = Spell | Mapping[str, Any] | str | PathLike[str]
"""A Spell, its JSON form, or the path of a file or folder that holds it."""


def read_spell(source: SpellSource, library: Library | None = None) -> Spell:
    """Return the spell that ``source`` is or names; of a plan, the spell it was made from.

    A file may be JSON, YAML, a manifest, a plan in MessagePack or Python
    source, which is read and not run. ``library`` is as for ``read_python``.

    Raises:
        SpellUnreadable: when there is no such file, or what it holds is not a
            spell; ``details.errors`` lists each field at fault.
        FormatInvalid: (one of those) when it is not in the form that it should
            be; ``details`` has ``line`` and ``column``.
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
    if path.is_dir():
        return _parse(read_folder(path), str(path))
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise SpellUnreadable(f"{path} cannot be read: {error}") from error
    return read_bytes(data, str(path), library=library)


def read_bytes(
    data: bytes, name: str, form: Form | None = None, *, library: Library | None = None
) -> Spell:
    """Return the spell in the bytes of a file; ``form`` if not given is told by its name and first bytes.

    Raises:
        SpellUnreadable, FormatInvalid: as ``read_spell``.
    """
    try:
        value = read_form(data, form or form_of(name, data), library)
    except FormatInvalid as error:
        raise FormatInvalid(f"{name}: {error.message}", details=error.details) from error
    return _parse(value, name)


def _parse(value: Any, what: str) -> Spell:
    if isinstance(value, Mapping) and value.keys() >= {"plan", "spell"}:
        value = value["spell"]
    try:
        return Spell.model_validate(value)
    except ValidationError as error:
        errors = [
            {"field": ".".join(map(str, finding["loc"]))[:200], "message": finding["msg"]}
            for finding in findings(error)[:MAX_ERRORS]
        ]
        first = errors[0]
        raise SpellUnreadable(
            f"{what} is not a spell: {first['field'] or 'it'}: {first['message']}",
            details={"errors": errors},
        ) from error


MAX_ERRORS = 50
"""Fields at fault that are listed."""
