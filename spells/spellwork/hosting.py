"""What a worker process calls for the packs of its environment: to tell what they bring, and to run their nodes.

Imported in workers alone. A stub (``stubs``) names its function as
``spellwork.hosting:types.ID.vVERSION``, which the worker looks up as it does any other.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

from .choosing import choices_of
from .declaring import pack_declaration
from .errors import PackInvalid
from .external.local import ask as ask_object
from .external.local import local_method
from .external.worker import name_of, nodes_of
from .library import Library
from .node_type import NodeType
from .pack import ENTRY_POINT_GROUP, Pack
from .rejection import accepted
from .spell import Node

TARGET = "spellwork.hosting:{kind}.{id}.v{version}"
"""How a stub names its function: among ``types``, or ``objects`` for the method of an object."""

CONFIG = "_config"
"""The input by which a method of an object gets the configuration of the object, beside its own."""

MOST_TEXT = 10_000
"""Characters that are told of an error, and of its traceback."""


def describe(distributions: list[str]) -> dict[str, Any]:
    """Import the packs of these distributions, and tell what they bring: ``{packs, problems}``.

    A pack is ``pack_declaration`` with its ``distribution``; a problem is
    ``{distribution, name, reason, traceback}``.
    """
    packs: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for name in distributions:
        try:
            points = _points_of(name)
        except PackInvalid as error:
            problems.append(_problem(name, "", error, with_traceback=False))
            continue
        for point in points:
            try:
                packs.append(pack_declaration(_loaded(point)) | {"distribution": name})
            except BaseException as error:  # noqa: BLE001 - an edge: a pack is foreign code, and may even exit
                problems.append(_problem(name, point.name, error))
    return {"packs": packs, "problems": problems}


def choices(type: str, version: int, node: Any, port: str) -> list[Any]:
    """Return the values that an input of a node may have, as its pack says; raises PackInvalid where there is none."""
    declared = _find(type, version)
    found = declared.ports.input(port)
    return [] if found is None else choices_of(declared, Node.model_validate(node), found)


class _Types:
    """The functions of node types, as attributes: ``types.demo.double.v1``."""

    def __init__(self, find: Callable[[str, int], Any], path: tuple[str, ...] = ()) -> None:
        self._find = find
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        version = name.removeprefix("v")
        if len(self._path) > 1 and name != version and version.isdigit():
            return self._find(".".join(self._path), int(version))
        return _Types(self._find, (*self._path, name))


@cache
def function_of(id: str, version: int) -> Callable[..., Any]:
    """Return the function of a node type of the packs here, which checks what it is given; raises PackInvalid."""
    return _checked(_find(id, version))


@cache
def method_of(id: str, version: int) -> Callable[..., Any]:
    """Return what calls a method of an object of this process; raises PackInvalid. See ``local_objects``."""
    name = id.split(".")[1]
    for point in entry_points(group=ENTRY_POINT_GROUP, name=id.partition(".")[0]):
        pack = _loaded(point)
        for kind in pack.objects:
            if name_of(kind) == name:
                return local_method(pack.name, kind, id, version, CONFIG)
    raise PackInvalid(f"no pack of this worker has {id!r}, version {version}")


def ask(pack: str, name: str, what: str, config: dict[str, Any], given: Any = None) -> Any:
    """Do something to an object of this process: see ``local_objects.ask``; raises PackInvalid where there is none."""
    for point in entry_points(group=ENTRY_POINT_GROUP, name=pack):
        for kind in _loaded(point).objects:
            if name_of(kind) == name:
                return ask_object(pack, kind, what, config, given)
    raise PackInvalid(f"no pack of this worker has the object {pack}.{name}")


def _find(id: str, version: int) -> NodeType:
    for point in entry_points(group=ENTRY_POINT_GROUP, name=id.partition(".")[0]):
        for node_type in _loaded(point).nodes:
            if (node_type.id, node_type.version) == (id, version):
                return node_type
    raise PackInvalid(f"no pack of this worker has {id!r}, version {version}")


types = _Types(function_of)
objects = _Types(method_of)


def _checked(node_type: NodeType) -> Callable[..., Any]:
    streams = {port.name for port in node_type.inputs if port.stream}
    adapters = {
        port: adapter for port, adapter in node_type.adapters.items() if port not in streams
    }

    def function(*context: Any, **inputs: Any) -> Any:
        for port in inputs.keys() & adapters.keys():
            validate = adapters[port].validate_python
            inputs[port] = accepted(validate, inputs[port], f"the input {port!r}", port)
        return node_type.call(*context, **inputs)

    return function


def _points_of(name: str) -> Iterable[EntryPoint]:
    """Return where a distribution names its packs; raises PackInvalid where it names none."""
    try:
        points = distribution(name).entry_points.select(group=ENTRY_POINT_GROUP)
    except PackageNotFoundError as error:
        raise PackInvalid(f"the distribution {name!r} is not installed here") from error
    if not points:
        raise PackInvalid(f"{name} is no pack: it has no entry point {ENTRY_POINT_GROUP!r}")
    return points


@cache
def _loaded(point: EntryPoint) -> Pack:
    pack = point.load()
    if not isinstance(pack, Pack):
        raise PackInvalid(f"{point.value} is a {type(pack).__name__}, not a spellwork.Pack")
    if pack.name != point.name:
        raise PackInvalid(
            f"the pack {pack.name!r} has an entry point of another name, {point.name!r}"
        )
    Library(
        [
            pack,
            *(
                Pack(f"{pack.name}_{n}", "", "", nodes_of(kind, pack.name))
                for n, kind in enumerate(pack.objects)
            ),
        ]
    )
    return pack


def _problem(
    distribution: str, name: str, error: BaseException, *, with_traceback: bool = True
) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    own = str(Path(__file__).parent)
    shown = [frame for frame in frames if not frame.filename.startswith((own, "<frozen"))]
    lines = [
        f"{'/'.join(Path(frame.filename).parts[-2:])}, line {frame.lineno}, in {frame.name}\n"
        f"    {frame.line}"
        for frame in shown
        if "importlib" not in frame.filename
    ]
    said = "".join(traceback.format_exception_only(error)).strip()
    return {
        "distribution": distribution,
        "name": name,
        "reason": (error.message if isinstance(error, PackInvalid) else said)[:MOST_TEXT],
        "traceback": "\n".join([*lines, said])[-MOST_TEXT:] if with_traceback else None,
    }
