"""The OpenAPI 3.1 document of the REST operations: https://spec.openapis.org/oas/v3.1.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spellwork_server.identity.tokens import SESSION_COOKIE

from .registry import Registry
from .schemas import Schemas
from .service import Done, Operation

BODIES = frozenset({"POST", "PUT", "PATCH"})

ERRORS = {
    "400": "The request is malformed; details.errors names each field.",
    "401": "Not signed in, or the token is wrong, expired or revoked.",
    "403": "Signed in, but not allowed.",
    "404": "The thing named is not there.",
    "409": "The request contradicts what is stored.",
    "413": "The body or a value is over its limit.",
    "415": "The body is not JSON.",
    "422": "The spell cannot be compiled; details.problems says why.",
    "429": "Too many attempts; details.retry_after is in seconds.",
    "503": "The server is stopping, or a part of it is down.",
}


def openapi_document(
    registry: Registry, *, version: str, url: str, others: Mapping[tuple[str, str], dict[str, Any]]
) -> dict[str, Any]:
    """Return the document, built from the registry; ``others`` are entries of routes that are no operations."""
    operations = [each for each in registry.operations.values() if each.rest is not None]
    schemas = Schemas(
        [each.request for each in operations], [each.response or Done for each in operations]
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        assert operation.rest is not None
        method, path = operation.rest
        paths.setdefault(_template(path), {})[method.lower()] = _operation(operation, schemas)
    for (verb, place), entry in others.items():
        paths.setdefault(place, {})[verb.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Spellwork",
            "version": version,
            "description": (
                "Every operation is also a socket event; see /asyncapi.json. "
                "GET /v1/canvases/{id}/sync upgrades to a WebSocket that speaks y-websocket."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "security": [{"bearer": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Access token or API key",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
            },
            "responses": {status: _refusal(text) for status, text in ERRORS.items()},
        },
    }


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    assert operation.rest is not None
    method, path = operation.rest
    in_path = set(re.findall(r"{(\w+)", path))
    properties, required = schemas.fields(operation.request)
    parameters = [
        _parameter(name, "path", properties.get(name, {}), True) for name in sorted(in_path)
    ]
    rest = {name: schema for name, schema in properties.items() if name not in in_path}
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "responses": _responses(operation, schemas),
    }
    if operation.description:
        entry["description"] = operation.description
    if operation.public:
        entry["security"] = []
    if method in BODIES and rest:
        entry["requestBody"] = _body(
            operation, schemas, rest, [name for name in required if name in rest]
        )
    else:
        parameters += [
            _parameter(name, "query", schema, name in required) for name, schema in rest.items()
        ]
    if parameters:
        entry["parameters"] = parameters
    return entry


def _body(
    operation: Operation, schemas: Schemas, fields: dict[str, Any], required: list[str]
) -> dict[str, Any]:
    """Describe the body: the whole request, or what the path leaves of it."""
    properties, _ = schemas.fields(operation.request)
    if len(fields) == len(properties):
        schema = schemas.request(operation.request)
    else:
        schema = {"type": "object", "additionalProperties": False, "properties": fields}
        if required:
            schema["required"] = required
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {
        "application/json": {"schema": schemas.answer(operation.response or Done)}
    }
    if operation.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    responses: dict[str, Any] = {
        str(operation.status): {"description": operation.summary, "content": content}
    }
    for status in ERRORS:
        if not (operation.public and status == "403"):
            responses[status] = {"$ref": f"#/components/responses/{status}"}
    return responses


def _parameter(name: str, place: str, schema: dict[str, Any], required: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "in": place, "required": required, "schema": schema}
    if "description" in schema:
        entry["description"] = schema["description"]
    return entry


def _refusal(description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"$ref": "#/components/schemas/Error"}},
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _template(path: str) -> str:
    """Return an aiohttp path without its patterns: ``/x/{id:[a-z]+}`` is ``/x/{id}``."""
    return re.sub(r"{(\w+):[^{}]*}", r"{\1}", path)
