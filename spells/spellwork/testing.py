"""What every pack must keep to, as checks that its own tests call.

A pack's tests hold these two::

from spellwork.testing import check_pack, import_effects

def test_the_pack_keeps_to_the_rules():
    check_pack(pack)

def test_importing_it_does_nothing_else():
    assert import_effects("my_pack") == []
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import CodeError
from .library import Library
from .node_type import NodeType
from .pack import Pack
from .ports import Port
from .spell import Node

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
_FORMS = ("anyOf", "allOf", "oneOf", "prefixItems")

_WATCH = """
import sys, threading
sys.path[:0] = SEARCH
seen = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork", "os.exec",
                 "os.mkdir", "os.remove", "os.rename", "os.putenv", "shutil.rmtree"):
        if not (event == "os.mkdir" and "__pycache__" in str(arguments)):
            seen.append(f"{event} {arguments[:1]}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        if ".pyc" not in str(arguments[0]):
            seen.append(f"opened {arguments[0]} to write")
sys.dont_write_bytecode = True
sys.addaudithook(watch)
import MODULE
if threading.active_count() > 1:
    seen.append("started a thread")
print("\\n".join(seen))
"""


def check_pack(pack: Pack) -> None:
    """Raise AssertionError with everything in which the pack breaks the rules."""
    found = list(faults(pack))
    assert not found, f"pack {pack.name!r} breaks the rules:\n" + "\n".join(
        f"- {fault}" for fault in found
    )


def faults(pack: Pack) -> Iterator[str]:
    """Yield everything in which the pack breaks the rules, in words."""
    if not _NAME.match(pack.name):
        yield f"its name {pack.name!r} is not lower case"
    if not (pack.version and pack.title and pack.nodes):
        yield "it lacks a version, a title or nodes"
    try:
        Library([pack])
    except Exception as error:  # noqa: BLE001 - whatever a library refuses is a fault of the pack
        yield f"no library takes it: {error}"
    for node_type in pack.nodes:
        for fault in _node_faults(pack, node_type):
            yield f"{node_type.id}: {fault}"


def import_effects(module: str, search: Sequence[str] = ()) -> list[str]:
    """Import a module in a fresh interpreter and return what it did beside: files, sockets, processes, threads.

    ``search``: folders in which it is found beside the installed packages.
    """
    found = [str(Path(each).resolve()) for each in search]
    code = _WATCH.replace("MODULE", module).replace("SEARCH", repr(found))
    done = subprocess.run(  # noqa: S603 - this interpreter, and code from above
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        return [f"it does not import: {done.stderr.strip().splitlines()[-1]}"]
    return [line for line in done.stdout.splitlines() if line]


def _node_faults(pack: Pack, node_type: NodeType) -> Iterator[str]:
    if node_type.id.partition(".")[0] != pack.name:
        yield f"its id does not begin with {pack.name!r}"
    if not (node_type.title and node_type.category):
        yield "it lacks a title or a category"
    if len(node_type.description) < 10:
        yield "its docstring does not say what it does"
    yield from _description_faults(node_type)
    yield from _port_faults(node_type)
    yield from _example_faults(node_type)
    if node_type.isolation == "worker" and not _importable(node_type):
        yield f"a worker cannot import {node_type.path}"


def _description_faults(node_type: NodeType) -> Iterator[str]:
    try:
        text = json.dumps(node_type.describe(), allow_nan=False)
    except (TypeError, ValueError) as error:
        yield f"describe() is not JSON: {error}"
        return
    if json.loads(text) != node_type.describe():
        yield "describe() does not survive JSON"


def _port_faults(node_type: NodeType) -> Iterator[str]:
    for side, ports in (("input", node_type.inputs), ("output", node_type.outputs)):
        names = [port.name for port in ports]
        if len(set(names)) < len(names):
            yield f"two {side}s share a name"
        for port in ports:
            for fault in _schema_faults(port.schema):
                yield f"{side} {port.name!r}: {fault}"
    for port in node_type.inputs:
        yield from _default_faults(node_type, port)
    if node_type.resolve is not None:
        try:
            node_type.resolve(Node(type=node_type.id))
        except CodeError:
            pass
        except Exception as error:  # noqa: BLE001 - resolve may raise CodeError only
            yield f"resolve() of an empty node raises {error!r}"


def _default_faults(node_type: NodeType, port: Port) -> Iterator[str]:
    adapter = node_type.adapters.get(port.name)
    if port.required or adapter is None:
        return
    try:
        adapter.validate_python(port.default)
    except ValueError as error:
        yield f"input {port.name!r}: its default {port.default!r} does not fit it: {error}"


def _schema_faults(schema: Any) -> Iterator[str]:
    """Yield what keeps a value from being a JSON Schema of the kind that ports have."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield f"{schema!r} is no schema"
        return
    kinds = schema.get("type", [])
    if unknown := {*([kinds] if isinstance(kinds, str) else kinds)} - _TYPES:
        yield f"unknown types {sorted(unknown)}"
    if "enum" in schema and not isinstance(schema["enum"], list):
        yield "enum is no list"
    inside = [schema[name] for name in ("items", "additionalProperties") if name in schema]
    inside += [part for form in _FORMS for part in schema.get(form, [])]
    inside += [part for form in ("properties", "$defs") for part in schema.get(form, {}).values()]
    for part in inside:
        yield from _schema_faults(part)


def _example_faults(node_type: NodeType) -> Iterator[str]:
    known = {port.name for port in node_type.inputs} | ({"code"} if node_type.language else set())
    for name in node_type.example:
        if name not in known and not node_type.extra_inputs:
            yield f"its example names {name!r}, which is no input"


def _importable(node_type: NodeType) -> bool:
    module, _, qualname = node_type.path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return getattr(found, "call", found) is node_type.call
