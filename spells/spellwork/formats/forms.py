"""The forms by name: which one bytes are in, writing and reading any."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from spellwork.children import Spells
from spellwork.compiler import compile
from spellwork.errors import FormatInvalid
from spellwork.library import Library
from spellwork.spell import Spell

from .ir import MAGIC, read_ir, to_ir
from .json import read_json, to_json
from .manifest import is_manifest, to_manifest
from .python_reader import read_python
from .python_writer import to_python
from .yaml import to_yaml
from .yaml_reader import read_yaml

Form = Literal["json", "yaml", "manifest", "ir", "python"]
FORMS: tuple[Form, ...] = get_args(Form)

SUFFIXES: Mapping[str, Form] = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".ir": "ir",
    ".msgpack": "ir",
    ".py": "python",
}
"""The form that a file's ending says; a manifest is YAML that says so itself."""

_PYTHON = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:\s|\#[^\n]*\n)*(?:[rR]?\"\"\"|'''|from |import |\w+ *= *Workflow\()"""
)

_WRITERS: Mapping[str, Callable[[Spell], bytes]] = {
    "json": to_json,
    "yaml": to_yaml,
    "python": to_python,
}


def form_of(name: str, data: bytes) -> Form:
    """Return the form that a file is in: by its first bytes where they say it, else by the ending of its name."""
    if data.startswith(MAGIC):
        return "ir"
    suffix = re.search(r"\.[A-Za-z0-9]+$", name)
    if suffix is not None and (form := SUFFIXES.get(suffix[0].lower())):
        return form
    if data[:100].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return "json"
    return "python" if _PYTHON.match(data[:10_000]) else "yaml"


def write(
    spell: Spell,
    form: Form | str,
    library: Library | None = None,
    spells: Spells | None = None,
) -> bytes:
    """Return ``spell`` in one of ``FORMS``.

    ``library`` (all installed packs if not given) and ``spells`` compile it to
    a plan, where the form is one.

    Raises:
        FormatInvalid: for an unknown form, and for a value that has none in it.
        SpellInvalid: when the spell cannot be compiled to a plan.
    """
    try:
        if form in _WRITERS:
            return _WRITERS[form](spell)
        if form in ("manifest", "ir"):
            plan = compile(spell, library or Library.installed(), spells=spells)
            return to_ir(plan, spell) if form == "ir" else to_manifest(plan, spell)
    except UnicodeEncodeError as error:
        raise FormatInvalid("half a surrogate pair is in a text: it has no UTF-8 form") from error
    except (ValueError, OverflowError) as error:
        raise FormatInvalid(f"a value has no form as {form}: {error}") from error
    raise FormatInvalid(f"unknown format {form!r}; there are {', '.join(FORMS)}")


def read_form(data: bytes, form: Form, library: Library | None = None) -> Any:
    """Return what ``write`` wrote: a Spell from Python, else the spell's JSON, not yet looked at.

    Nothing of it is executed. ``library`` is asked for ports where Python
    leaves wires to the builder.

    Raises:
        FormatInvalid: with line and column where there are any.
    """
    if form == "python":
        return read_python(data, library)
    if form == "ir":
        return read_ir(data)["spell"]
    body = read_json(data) if form == "json" else read_yaml(data)
    return body["spell"] if is_manifest(body) else body
