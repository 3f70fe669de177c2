"""What the OpenAPI document says of the address of webhooks, which is no operation: proof takes the place of an actor."""

from __future__ import annotations

from typing import Any, Final, get_args

from spellwork_server.storage.triggers import Outcome

REFUSALS: Final = ("400", "401", "404", "409", "413", "429", "503")

_ANSWER: Final = {
    "type": "object",
    "required": ["firing", "outcome", "run", "duplicate"],
    "properties": {
        "firing": {"type": "string"},
        "outcome": {"enum": list(get_args(Outcome))},
        "run": {"type": ["string", "null"], "description": "The run that was started."},
        "duplicate": {"type": "boolean", "description": "The message had come before."},
    },
}


def hook_document() -> dict[str, Any]:
    """Return the entry of ``POST /v1/hooks/{id}``."""
    parameters = [
        _parameter("id", "path", "The webhook's id.", required=True),
        _parameter("webhook-id", "header", "The message's id: one that comes again runs once."),
        _parameter("webhook-timestamp", "header", "Unix seconds, within 300 of the server's."),
        _parameter(
            "webhook-signature",
            "header",
            "v1,BASE64 of HMAC-SHA256 over ID.TIMESTAMP.BODY; several with spaces in between.",
        ),
    ]
    responses: dict[str, Any] = {
        "200": _answer("The message had come before, and this is what became of it then."),
        "202": _answer("The message was taken."),
    }
    responses |= {each: {"$ref": f"#/components/responses/{each}"} for each in REFUSALS}
    return {
        "operationId": "hooks.fire",
        "summary": "Send a message to a webhook",
        "description": (
            "Whoever knows the secret of the webhook starts a run with what is sent. The message is signed as "
            "Standard Webhooks says (webhook-id, webhook-timestamp, webhook-signature); a webhook with proof "
            "bearer takes the secret as bearer token, and Idempotency-Key like webhook-id. "
            "The body, of 1 MiB at most, is JSON, text or bytes, by its content type."
        ),
        "tags": ["triggers"],
        "security": [],
        "parameters": parameters,
        "requestBody": {"required": False, "content": {"application/json": {}, "*/*": {}}},
        "responses": responses,
    }


def _parameter(
    name: str, place: str, description: str, *, required: bool = False
) -> dict[str, Any]:
    schema = {"type": "string"}
    entry = {"name": name, "in": place, "required": required, "schema": schema}
    return entry | {"description": description}


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ANSWER}}}
