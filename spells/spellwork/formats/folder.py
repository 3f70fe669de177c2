"""A spell as a folder that merges well: what it means, how it looks, and its code in files of their own.

::

    spell.yaml            nodes with their wires, groups, notes; sorted by id
    layout.yaml           positions, sizes, colours, what is collapsed
    code/NODE.py          the code of a node, ending by its language
    texts/NODE.PORT.txt   a long text typed into an input
    notes/NOTE.md         a long note
    tests/TEST.yaml       a test of the spell

``spell.yaml`` names the files that belong to it: ``code_file``, ``input_files``,
``text_file``, ``test_file``. A wire stands with the node it ends at, so that edits to
different nodes touch different lines. Nothing here touches a disk; see
``folder_files`` for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spellwork.errors import FormatInvalid
from spellwork.spell import Spell

from .file_names import code_file, note_file, stems, test_file, text_file
from .order import DRAWN, KINDS, LAYOUT, as_given
from .yaml_reader import read_yaml
from .yaml_writer import write_yaml

SPELL_FILE = "spell.yaml"
LAYOUT_FILE = "layout.yaml"

LONG = 300
"""Characters from which a text has a file of its own; or LINES."""

LINES = 3

FILE = re.compile(r"(?:code|texts|notes|tests)/[A-Za-z0-9_-][A-Za-z0-9_.~-]{0,199}")
"""What may be named as a file of the folder: nothing that leads out of it, nothing hidden."""

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufeff]")
"""What a version control system or an editor does not give back from a text file; above all the carriage return."""


def to_files(spell: Spell) -> dict[str, bytes]:
    """Return the files of a spell's folder, by path with ``/``; the same spell gives the same bytes."""
    body = as_given(spell)
    layout = {kind: _take_layout(body.get(kind, {})) for kind in DRAWN}
    files: dict[str, bytes] = {}
    names = stems(body.get("nodes", {}))
    for id, node in body.get("nodes", {}).items():
        files |= _take_texts(node, names[id])
    for id, stem in stems(body.get("notes", {})).items():
        note = body["notes"][id]
        if _has_file(note.get("text"), long=True):
            path = note_file(stem)
            files[path] = note.pop("text").encode()
            note["text_file"] = path
    for id, stem in stems(body.get("tests", {})).items():
        path = test_file(stem)
        files[path] = write_yaml(body["tests"][id])
        body["tests"][id] = {"test_file": path}
    _hang_wires(body)
    laid = {kind: places for kind, places in layout.items() if places}
    return {
        **files,
        LAYOUT_FILE: write_yaml(laid),
        SPELL_FILE: write_yaml({key: value for key, value in body.items() if value != {}}),
    }


def from_files(read: Callable[[str], bytes]) -> dict[str, Any]:
    """Return the JSON of the spell in a folder, whose files ``read`` gives by path.

    What the layout says of things that are gone is ignored: somebody moved
    them while somebody else removed them.

    Raises:
        FormatInvalid: naming the file, with line and column where it is one's.
    """
    body = _yaml(read, SPELL_FILE)
    layout = _yaml(read, LAYOUT_FILE)
    for kind in KINDS:
        things = body.get(kind) or {}
        _objects(things, f"{SPELL_FILE}: {kind}")
    for path, put in _named_files(body):
        put(_text(read, path))
    for id, test in (body.get("tests") or {}).items():
        if (file := _test_file(id, test)) is not None:
            body["tests"][id] = _yaml(read, file)
    _unhang_wires(body)
    for kind, places in layout.items():
        if kind not in DRAWN:
            raise FormatInvalid(f"{LAYOUT_FILE}: there is no {kind!r} in a layout")
        _objects(places or {}, f"{LAYOUT_FILE}: {kind}")
        for id, fields in (places or {}).items():
            if unknown := sorted(fields.keys() - set(LAYOUT)):
                raise FormatInvalid(f"{LAYOUT_FILE}: {kind}.{id}: {unknown[0]!r} is no layout")
            if id in (body.get(kind) or {}):
                body[kind][id] |= fields
    return body


def files_of(body: Any) -> set[str]:
    """Return the files that a ``spell.yaml`` names as its own. Raises FormatInvalid when it is none."""
    if not isinstance(body, dict):
        raise FormatInvalid(f"{SPELL_FILE}: it is no object")
    for kind in ("nodes", "notes", "tests"):
        _objects(body.get(kind) or {}, f"{SPELL_FILE}: {kind}")
    tests = {_test_file(id, test) for id, test in (body.get("tests") or {}).items()}
    return {path for path, _ in _named_files(body)} | {path for path in tests if path is not None}


def _take_layout(things: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    taken = {
        id: {field: thing.pop(field) for field in LAYOUT if field in thing}
        for id, thing in things.items()
    }
    return {id: fields for id, fields in taken.items() if fields}


def _take_texts(node: dict[str, Any], stem: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if _has_file(node.get("code"), long=False):
        path = code_file(stem, node["type"])
        files[path] = node.pop("code").encode()
        node["code_file"] = path
    inputs = node.get("inputs", {})
    for port in [port for port, value in inputs.items() if _has_file(value, long=True)]:
        path = text_file(stem, port)
        files[path] = inputs.pop(port).encode()
        node.setdefault("input_files", {})[port] = path
    if not inputs:
        node.pop("inputs", None)
    return files


def _has_file(text: Any, *, long: bool) -> bool:
    if not isinstance(text, str) or not text or _UNSAFE.search(text):
        return False
    return not long or len(text) >= LONG or text.count("\n") >= LINES


def _hang_wires(body: dict[str, Any]) -> None:
    """Move each wire to the node it ends at; one that ends nowhere stays."""
    nodes = body.get("nodes", {})
    for id, edge in list(body.get("edges", {}).items()):
        if edge["target"] in nodes:
            target = nodes[edge.pop("target")]
            target.setdefault("wires", {})[id] = body["edges"].pop(id)


def _unhang_wires(body: dict[str, Any]) -> None:
    edges = body.get("edges") or {}
    _objects(edges, f"{SPELL_FILE}: edges")
    for target, node in (body.get("nodes") or {}).items():
        wires = node.pop("wires", None) or {}
        _objects(wires, f"{SPELL_FILE}: nodes.{target}.wires")
        for id, wire in wires.items():
            if id in edges:
                raise FormatInvalid(f"{SPELL_FILE}: the wire {id!r} is there twice")
            edges[id] = wire | {"target": target}
    body["edges"] = edges


def _named_files(body: dict[str, Any]) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Give each file that is named, with what puts its text in its place."""
    for id, node in (body.get("nodes") or {}).items():
        yield from _named(node, "code", f"nodes.{id}")
        named = node.pop("input_files", None) or {}
        if not isinstance(named, dict):
            raise FormatInvalid(f"{SPELL_FILE}: nodes.{id}.input_files is no object")
        inputs = node.setdefault("inputs", {}) if named else {}
        for port, path in named.items():
            if not isinstance(inputs, dict) or port in inputs:
                raise FormatInvalid(f"{SPELL_FILE}: nodes.{id}.inputs: {port!r} is there twice")
            yield _checked(path), _putter(inputs, port)
    for id, note in (body.get("notes") or {}).items():
        yield from _named(note, "text", f"notes.{id}")


def _named(
    thing: dict[str, Any], field: str, where: str
) -> Iterator[tuple[str, Callable[[str], None]]]:
    path = thing.pop(f"{field}_file", None)
    if path is not None:
        if field in thing:
            raise FormatInvalid(f"{SPELL_FILE}: {where}: give {field} or {field}_file")
        yield _checked(path), _putter(thing, field)


def _test_file(id: str, test: dict[str, Any]) -> str | None:
    """Return the file that a test is in; None for one that stands in ``spell.yaml``."""
    if "test_file" not in test:
        return None
    if len(test) > 1:
        raise FormatInvalid(f"{SPELL_FILE}: tests.{id}: a test stands here or in its file")
    return _checked(test["test_file"])


def _putter(fields: dict[str, Any], name: str) -> Callable[[str], None]:
    def put(text: str) -> None:
        fields[name] = text

    return put


def _checked(path: Any) -> str:
    if not isinstance(path, str) or not FILE.fullmatch(path):
        raise FormatInvalid(
            f"{SPELL_FILE}: {path!r} is no file of the folder: those are in code/, texts/, notes/ and tests/"
        )
    return path


def _objects(things: Any, where: str) -> None:
    if not isinstance(things, Mapping):
        raise FormatInvalid(f"{where} is no object")
    for id, thing in things.items():
        if not isinstance(thing, dict):
            raise FormatInvalid(f"{where}.{id} is no object")


def _yaml(read: Callable[[str], bytes], path: str) -> dict[str, Any]:
    try:
        body = read_yaml(read(path))
    except FormatInvalid as error:
        raise FormatInvalid(f"{path}: {error.message}") from error
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise FormatInvalid(f"{path}: it is no object")
    return body


def _text(read: Callable[[str], bytes], path: str) -> str:
    try:
        return read(path).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FormatInvalid(f"{path}: not UTF-8: {error}") from error


__all__ = ["LAYOUT_FILE", "SPELL_FILE", "files_of", "from_files", "to_files"]
