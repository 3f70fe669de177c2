"""The schemas of all models in one place, for the OpenAPI and AsyncAPI documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

Key = tuple[type[BaseModel], JsonSchemaMode]

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {"type": "string", "description": "Stable; made to be compared."},
        "message": {
            "type": "string",
            "description": "For people: the thing at fault and what is allowed.",
        },
        "details": {
            "type": "object",
            "description": "By code: `errors` [{field, message, allowed?}], `problems`, `retry_after`, `limit`.",
        },
    },
}
"""``ServerError.to_json``."""


class Schemas:
    """JSON Schemas of models, shared under ``#/components/schemas``."""

    def __init__(
        self, requests: Iterable[type[BaseModel]], answers: Iterable[type[BaseModel]]
    ) -> None:
        keys: list[Key] = [(model, "validation") for model in dict.fromkeys(requests)]
        keys += [(model, "serialization") for model in dict.fromkeys(answers)]
        self._references, definitions = models_json_schema(
            keys, ref_template="#/components/schemas/{model}"
        )
        self.definitions: dict[str, Any] = dict(definitions.get("$defs", {})) | {
            "Error": ERROR_SCHEMA
        }

    def request(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return a reference to what a model takes."""
        return dict(self._references[model, "validation"])

    def answer(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return a reference to what a model gives."""
        return dict(self._references[model, "serialization"])

    def fields(self, model: type[BaseModel]) -> tuple[dict[str, Any], list[str]]:
        """Return a request's properties and the names of those required."""
        name = self._references[model, "validation"]["$ref"].rpartition("/")[2]
        schema = self.definitions[name]
        return dict(schema.get("properties", {})), list(schema.get("required", []))
