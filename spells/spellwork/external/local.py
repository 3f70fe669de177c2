"""Objects of the packs of a worker, in its process: one of each class, as long as the process lives.

A process does one call at a time, so the object needs no turns. Its configuration comes
with each call, from where it is kept; when it is another one, the object is configured anew.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from spellwork.errors import NodeError
from spellwork.node_type import NodeType
from spellwork.rejection import accepted
from spellwork_worker.values import to_plain

from .worker import (
    ExternalWorker,
    config_model,
    nodes_of,
    revealed,
    with_secrets,
    without_secrets,
)

_objects: dict[tuple[str, type[ExternalWorker]], tuple[ExternalWorker, dict[str, Any]]] = {}


def local_method(
    pack: str, kind: type[ExternalWorker], id: str, version: int, config_input: str
) -> Callable[..., Any]:
    """Return what calls a method: a coroutine function, or an async generator function of one that streams."""
    declared = next(
        each for each in nodes_of(kind, pack) if (each.id, each.version) == (id, version)
    )
    attribute = id.rpartition(".")[2]

    async def ready(inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        worker = await _object(pack, kind, inputs.pop(config_input, {}))
        return getattr(worker, attribute), _checked(declared, inputs)

    async def call(*context: Any, **inputs: Any) -> Any:
        method, given = await ready(inputs)
        value = method(*context, **given)
        return await value if inspect.isawaitable(value) else value

    async def stream(*context: Any, **inputs: Any) -> AsyncIterator[Any]:
        method, given = await ready(inputs)
        items = method(*context, **given)
        if hasattr(items, "__aiter__"):
            async for item in items:
                yield item
        else:
            for item in items:
                yield item

    return stream if declared.form in ("generator", "async generator") else call


async def ask(
    pack: str, kind: type[ExternalWorker], what: str, config: dict[str, Any], given: Any
) -> Any:
    """Check a configuration (``check``), or tell (``export``) or take over (``import``) an object's state.

    ``check`` answers ``{config, secrets}`` without secrets, and in ``whole`` the configuration
    to keep: ``given``, and of ``config`` the secrets that it leaves out. Or ``{errors}``.
    """
    if what == "check":
        model = config_model(kind)
        try:
            fresh = with_secrets(_known(model, config), given)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[:20]
            return {
                "errors": [
                    {"field": ".".join(map(str, each["loc"])), "message": each["msg"]}
                    for each in found
                ]
            }
        shown = without_secrets(fresh)
        whole = revealed(fresh)
        return {"config": shown.config, "secrets": list(shown.secrets), "whole": whole}
    worker = await _object(pack, kind, config)
    if what == "export":
        return to_plain(worker.export_state(), "the state")
    worker.import_state(given)
    return None


async def _object(pack: str, kind: type[ExternalWorker], config: dict[str, Any]) -> ExternalWorker:
    """Return the object of a class, made or configured as it is to be now."""
    known = _objects.get((pack, kind))
    if known is not None and known[1] == config:
        return known[0]
    try:
        fresh = config_model(kind).model_validate(config)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NodeError(
            f"{pack}.{kind.name} needs another configuration: {where}: {first['msg']}",
            code="config_invalid",
            retryable=False,
        ) from error
    if known is None:
        worker = kind(fresh)
        await worker.open()
    else:
        worker = known[0]
        await worker.configure(fresh)
    _objects[pack, kind] = worker, config
    return worker


def _known(model: type[BaseModel], config: dict[str, Any]) -> BaseModel:
    """Return a configuration that was kept; of one that does not fit any more, what it is without."""
    try:
        return model.model_validate(config)
    except ValidationError:
        return model.model_construct()


def _checked(declared: NodeType, inputs: dict[str, Any]) -> dict[str, Any]:
    streams = {port.name for port in declared.inputs if port.stream}
    for port in inputs.keys() & declared.adapters.keys() - streams:
        validate = declared.adapters[port].validate_python
        inputs[port] = accepted(validate, inputs[port], f"the input {port!r}", port)
    return inputs
