"""Node types as data: what a place that cannot import a pack needs to know of it.

``declaration_of`` is called where the pack is, ``stubs.pack_of`` where it is not.
"""

from __future__ import annotations

from typing import Any

from .external.worker import (
    Secretless,
    config_model,
    name_of,
    nodes_of,
    title_of,
    without_secrets,
)
from .node_type import NodeType
from .pack import Pack
from .values import to_json


def declaration_of(node_type: NodeType) -> dict[str, Any]:
    """Return all that is known of a node type but its functions, as JSON."""
    return {
        "id": node_type.id,
        "version": node_type.version,
        "title": node_type.title,
        "category": node_type.category,
        "description": node_type.description,
        "keywords": list(node_type.keywords),
        **to_json(node_type.ports.describe()),
        "form": node_type.form,
        "wants_context": node_type.wants_context,
        "returns": node_type.returns,
        "waits": node_type.waits,
        "cache": node_type.cache,
        "ttl": node_type.ttl,
        "side_effects": node_type.side_effects,
        "committed": node_type.committed,
        "timeout": node_type.timeout,
        "retries": node_type.retries,
        "backoff": node_type.backoff,
        "secrets": list(node_type.secrets),
        "preview": node_type.preview,
        "limiter": node_type.limiter if isinstance(node_type.limiter, str) else None,
        "expose_in_library": node_type.expose_in_library,
        "example": to_json(dict(node_type.example)),
    }


def pack_declaration(pack: Pack) -> dict[str, Any]:
    """Return a pack as JSON: its node types, and those that only run where the engine itself is, with the reason."""
    nodes: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    for node_type in pack.nodes:
        reason = why_not_elsewhere(node_type)
        if reason is None:
            nodes.append(declaration_of(node_type))
        else:
            left_out[node_type.id] = reason
    objects = [_object_declaration(pack.name, kind, nodes) for kind in pack.objects]
    return {
        "name": pack.name,
        "version": str(pack.version),
        "title": pack.title,
        "nodes": nodes,
        "left_out": left_out,
        "objects": objects,
    }


def _object_declaration(pack: str, kind: Any, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is told of a class of objects, and add the node types of its methods."""
    model = config_model(kind)
    try:
        shown = without_secrets(model())
    except ValueError:  # it must be configured before it can be
        shown = Secretless({}, ())
    nodes += [declaration_of(each) for each in nodes_of(kind, pack)]
    return {
        "name": name_of(kind),
        "title": title_of(kind),
        "schema": to_json(model.model_json_schema()),
        "config": shown.config,
        "secrets": list(shown.secrets),
    }


def why_not_elsewhere(node_type: NodeType) -> str | None:
    """Return why a node type cannot be called from another place; None when it can.

    What a spell is made of is found without waiting for anybody, so ports that
    follow from a node's code or inputs need their function at hand, and so does a body.
    """
    if node_type.language is not None:
        return "it runs code of its own, which only packs of the server may"
    if node_type.resolve is not None:
        return "its ports depend on the node (resolve), which only those of packs of the server may"
    if node_type.body_ports is not None or node_type.marks is not None:
        return "it has to do with a body, which only packs of the server may run"
    return None
