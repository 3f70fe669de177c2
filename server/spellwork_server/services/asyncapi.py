"""The AsyncAPI 3.0 document of the sockets: https://www.asyncapi.com/docs/reference/specification/v3.0.0."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from .registry import Registry
from .schemas import Schemas
from .service import Done, Operation


def asyncapi_document(registry: Registry, *, version: str, url: str) -> dict[str, Any]:
    """Return the document: client events with their acknowledgements, and the server's own events."""
    operations = [each for each in registry.operations.values() if each.socket]
    announced = list(registry.announcements.values())
    answers: list[type[BaseModel]] = [each.response or Done for each in operations]
    schemas = Schemas(
        [each.request for each in operations], answers + [each.model for each in announced]
    )
    channels: dict[str, Any] = {}
    entries: dict[str, Any] = {}
    for operation in operations:
        channels[operation.name] = _request_channel(operation, schemas)
        entries[operation.name] = _request(operation)
    for each in announced:
        channel = channels.setdefault(each.event, {"address": each.event, "messages": {}})
        channel["messages"]["event"] = {
            "summary": each.summary,
            "payload": schemas.answer(each.model),
        }
        entries[f"send.{each.event}"] = {
            "action": "send",
            "channel": _channel(each.event),
            "messages": [{"$ref": f"{_channel(each.event)['$ref']}/messages/event"}],
            "summary": each.summary,
        }
    place = urlsplit(url)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Spellwork",
            "version": version,
            "description": "Socket.IO 5 at /socket.io/, one namespace. A channel is an event's name.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "spellwork": {
                "host": place.netloc,
                "pathname": "/socket.io/",
                "protocol": "wss" if place.scheme == "https" else "ws",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": channels,
        "operations": entries,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "token": {
                    "type": "userPassword",
                    "description": "Handshake auth {token}: an access token or an API key",
                }
            },
        },
    }


def _request_channel(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    answer = schemas.answer(operation.response or Done)
    succeeded = {"allOf": [answer, {"type": "object", "properties": {"ok": {"const": True}}}]}
    failed = {
        "type": "object",
        "required": ["ok", "error"],
        "properties": {"ok": {"const": False}, "error": {"$ref": "#/components/schemas/Error"}},
    }
    return {
        "address": operation.name,
        "messages": {
            "request": {
                "summary": operation.summary,
                "payload": schemas.request(operation.request),
            },
            "answer": {"summary": "The acknowledgement", "payload": {"oneOf": [succeeded, failed]}},
        },
    }


def _request(operation: Operation) -> dict[str, Any]:
    channel = _channel(operation.name)
    entry: dict[str, Any] = {
        "action": "receive",
        "channel": channel,
        "summary": operation.summary,
        "messages": [{"$ref": f"{channel['$ref']}/messages/request"}],
        "reply": {
            "channel": channel,
            "messages": [{"$ref": f"{channel['$ref']}/messages/answer"}],
        },
    }
    if operation.description:
        entry["description"] = operation.description
    return entry


def _channel(name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{name}"}
