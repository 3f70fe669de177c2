"""The one order in which every form writes a spell: the same spell gives the same bytes."""

from __future__ import annotations

from typing import Any

from spellwork.spell import Spell

DRAWN = ("nodes", "edges", "groups", "notes")
"""What has a place on the canvas, or hangs between such."""

KINDS = (*DRAWN, "tests")

LAYOUT = ("color", "position", "size", "collapsed")
"""Fields that say how a thing looks, and nothing of what it does."""

_LAST = ("inputs", "code", "settings", "group", *LAYOUT)


def as_given(spell: Spell) -> dict[str, Any]:
    """Return a spell's JSON in the order of every form, without a name that nobody gave it."""
    body = ordered(spell.to_json())
    if "name" not in spell.model_fields_set:
        del body["name"]
    return body


def ordered(spell: dict[str, Any]) -> dict[str, Any]:
    """Return a spell's JSON with its parts by id and the keys of each part in one order, layout last."""
    body: dict[str, Any] = {key: spell[key] for key in ("schema", "name") if key in spell}
    body |= {key: value for key, value in spell.items() if key not in KINDS}
    if "requirements" in spell:
        body["requirements"] = dict(sorted(spell["requirements"].items()))
    for kind in KINDS:
        if kind in spell:
            body[kind] = {id: _ordered_part(part) for id, part in sorted(spell[kind].items())}
    return body


def _ordered_part(part: dict[str, Any]) -> dict[str, Any]:
    fields = list(part)
    keys = sorted(
        part, key=lambda key: (_LAST.index(key) + 1 if key in _LAST else 0, fields.index(key))
    )
    return {key: sorted_values(part[key]) for key in keys}


def sorted_values(value: Any) -> Any:
    """Return a JSON value with the keys of all its objects sorted."""
    if isinstance(value, dict):
        return {key: sorted_values(value[key]) for key in sorted(value)}
    return [sorted_values(item) for item in value] if isinstance(value, list) else value
