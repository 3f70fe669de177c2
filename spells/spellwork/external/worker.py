"""``ExternalWorker``: what a long-lived object whose methods are nodes is made of."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, SecretBytes, SecretStr

from spellwork.decorator import node
from spellwork.errors import NodeTypeInvalid
from spellwork.node_type import NodeType
from spellwork.pack import Pack

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MARK = "__spellwork_method__"


class NoConfig(BaseModel):
    """Nothing to configure."""


class ExternalWorker:
    """A stateful object that lives as long as the program it runs in; runs on all canvases it was given to share it.

    Class attributes: ``name`` (the first part of its node types' ids), ``title``,
    ``version``, ``at_once`` (how many calls may run at a time), and the annotation of
    ``config``, a pydantic model. Methods marked with ``@method`` are its nodes.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    version: ClassVar[str] = "1.0"
    at_once: ClassVar[int] = 1
    config: Any

    def __init__(self, config: Any) -> None:
        self.config = config

    async def open(self) -> None:
        """Get ready, before the first call."""

    async def close(self) -> None:
        """Let go of what ``open`` took."""

    async def configure(self, config: Any) -> None:
        """Take another configuration, while no call is under way."""
        self.config = config

    def export_state(self) -> Any:
        """Return what ``import_state`` takes on another machine, as plain JSON; None where there is nothing."""
        return None

    def import_state(self, state: Any) -> None:
        """Take over what ``export_state`` gave."""


def method(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a node of a method; ``options`` are those of ``@node``, without an id.

    Without a cache policy its outputs are never kept: what an object does may depend on its state.
    """

    def mark(marked: Callable[..., Any]) -> Callable[..., Any]:
        setattr(marked, _MARK, {"cache": "none", **options})
        return marked

    return mark if function is None else mark(function)


def config_model(kind: type[ExternalWorker]) -> type[BaseModel]:
    """Return the type of a class's configuration; raises NodeTypeInvalid where it is no pydantic model."""
    hint = typing.get_type_hints(kind).get("config", Any)
    if hint is Any:
        return NoConfig
    if not (isinstance(hint, type) and issubclass(hint, BaseModel)):
        raise NodeTypeInvalid(f"the configuration of {kind.__qualname__} is no pydantic model")
    return hint


def pack_of_worker(worker: ExternalWorker) -> Pack:
    """Return the pack of an object's methods. Raises NodeTypeInvalid for what cannot be a node."""
    return Pack(name_of(type(worker)), worker.version, title_of(type(worker)), nodes_of(worker))


def nodes_of(worker: ExternalWorker | type[ExternalWorker], pack: str = "") -> tuple[NodeType, ...]:
    """Return the node types of an object's methods, as ``NAME.METHOD``; ``pack`` comes before that.

    Those of a class describe, and cannot be called. Raises NodeTypeInvalid for what cannot be a node.
    """
    kind = worker if isinstance(worker, type) else type(worker)
    instance = kind.__new__(kind) if isinstance(worker, type) else worker
    prefix = f"{pack}.{name_of(kind)}" if pack else name_of(kind)
    nodes = tuple(_nodes(kind, instance, prefix))
    if not nodes:
        raise NodeTypeInvalid(f"{kind.__qualname__} has no @method")
    return nodes


def name_of(kind: type[ExternalWorker]) -> str:
    """Return the name of a class's objects; raises NodeTypeInvalid where it is none."""
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise NodeTypeInvalid(f"{kind.__qualname__} needs a name in lower case: name = 'camera'")
    return name


def title_of(kind: type[ExternalWorker]) -> str:
    """Return the title of a class's objects."""
    return kind.title or name_of(kind).replace("_", " ").capitalize()


def _nodes(kind: type[ExternalWorker], instance: ExternalWorker, prefix: str) -> Iterator[NodeType]:
    for attribute in sorted(dir(kind)):
        options = getattr(getattr(kind, attribute, None), _MARK, None)
        if options is not None:
            given = {"category": title_of(kind), **options}
            yield node(f"{prefix}.{attribute}", **given)(getattr(instance, attribute))


@dataclass(frozen=True, slots=True)
class Secretless:
    """A configuration without its secrets: ``secrets`` names the fields left out, as ``a.b``."""

    config: dict[str, Any]
    secrets: tuple[str, ...]


def without_secrets(config: BaseModel) -> Secretless:
    """Return a configuration as JSON, without any value that is a SecretStr or SecretBytes."""
    secrets: list[str] = []
    left = _left(config.model_dump(mode="python"), config.model_dump(mode="json"), "", secrets)
    return Secretless(left, tuple(secrets))


def with_secrets(config: BaseModel, values: Mapping[str, Any]) -> BaseModel:
    """Return the configuration that ``values`` are, which keeps the secrets that these leave out.

    Raises pydantic.ValidationError.
    """
    given = _with(config.model_dump(mode="python"), dict(values))
    return type(config).model_validate(given)


def revealed(config: BaseModel) -> Any:
    """Return a configuration as JSON with its secrets, to be kept where these may be."""

    def reveal(value: Any, shown: Any) -> Any:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, SecretBytes):
            return value.get_secret_value().decode()
        if isinstance(value, dict):
            pairs = zip(value.items(), shown.items(), strict=True)
            return {name: reveal(inner, each) for (_, inner), (name, each) in pairs}
        if isinstance(value, (list, tuple)):
            return [reveal(inner, each) for inner, each in zip(value, shown, strict=True)]
        return shown

    return reveal(config.model_dump(mode="python"), config.model_dump(mode="json"))


def _left(value: Any, as_json: Any, path: str, secrets: list[str]) -> Any:
    if isinstance(value, dict) and isinstance(as_json, dict):
        kept: dict[str, Any] = {}
        for (key, inner), (name, shown) in zip(value.items(), as_json.items(), strict=True):
            where = f"{path}.{name}" if path else str(name)
            if isinstance(inner, (SecretStr, SecretBytes)):
                secrets.append(where)
            else:
                kept[str(key)] = _left(inner, shown, where, secrets)
        return kept
    if isinstance(value, (list, tuple)) and isinstance(as_json, list):
        pairs = zip(value, as_json, strict=True)
        return [_left(each, shown, f"{path}.{i}", secrets) for i, (each, shown) in enumerate(pairs)]
    if isinstance(value, (SecretStr, SecretBytes)):
        secrets.append(path)
        return None
    return as_json


def _with(known: Any, given: Any) -> Any:
    if not isinstance(known, dict) or not isinstance(given, dict):
        return given
    merged = {name: _with(known.get(name), value) for name, value in given.items()}
    for name, value in known.items():
        if name not in merged and isinstance(value, (SecretStr, SecretBytes)):
            merged[name] = value.get_secret_value()
        elif name not in merged and isinstance(value, dict):
            kept = _with(value, {})
            if kept:
                merged[name] = kept
    return merged
