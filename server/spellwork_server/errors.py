"""What the server refuses or fails at, each with a stable code for the wire.

::

    ServerError
    ├── BadRequest            400  bad_request
    ├── Unauthenticated       401  unauthenticated, token_invalid, token_expired, token_revoked, ...
    ├── Forbidden             403  forbidden
    ├── NotFound              404  not_found
    ├── MethodNotAllowed      405  method_not_allowed
    ├── Conflict              409  conflict
    ├── TooLarge              413  too_large
    ├── UnsupportedMediaType  415  unsupported_media_type
    ├── SpellRefused          422  the code of the spell's first problem
    ├── RateLimited           429  rate_limited
    ├── Internal              500  internal
    ├── BadGateway            502  the code of the server behind that failed
    └── Unavailable           503  unavailable
        └── StoreUnavailable       store_unavailable

REST answers ``{"error": error.to_json()}`` with ``status``; a socket answers
``{"ok": false, "error": error.to_json()}``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import uuid4

logger = logging.getLogger(__name__)


class ServerError(Exception):
    """The base of everything the server refuses. ``details`` are plain JSON values."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(
        self, message: str, *, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details: dict[str, Any] = dict(details or {})

    def to_json(self) -> dict[str, Any]:
        """Return the error as it goes on the wire."""
        return {"code": self.code, "message": self.message, "details": self.details}


class BadRequest(ServerError):
    """The request is malformed. ``details.errors`` lists ``{field, message, allowed?}``."""

    status = 400
    default_code = "bad_request"

    @classmethod
    def field(cls, field: str, message: str, allowed: Any = None) -> BadRequest:
        """Return the refusal of one field, naming what would have been allowed."""
        error: dict[str, Any] = {"field": field, "message": message}
        if allowed is not None:
            error["allowed"] = allowed
        return cls(f"{field}: {message}", details={"errors": [error]})


class Unauthenticated(ServerError):
    """Nobody, or somebody whose proof is wrong, expired or revoked."""

    status = 401
    default_code = "unauthenticated"


class Forbidden(ServerError):
    """Somebody known who may not do this."""

    status = 403
    default_code = "forbidden"


class NotFound(ServerError):
    """The thing named is not there."""

    status = 404
    default_code = "not_found"


class MethodNotAllowed(ServerError):
    """The path exists, the method does not. ``details.allowed`` names those that do."""

    status = 405
    default_code = "method_not_allowed"


class Conflict(ServerError):
    """The request contradicts what is stored."""

    status = 409
    default_code = "conflict"


class TooLarge(ServerError):
    """A body or value is over its limit; ``details`` has ``limit`` in bytes."""

    status = 413
    default_code = "too_large"


class UnsupportedMediaType(ServerError):
    """The body's content type is not one that the server parses."""

    status = 415
    default_code = "unsupported_media_type"


class SpellRefused(ServerError):
    """The spell cannot be compiled; ``details.problems`` says why, node by node."""

    status = 422
    default_code = "invalid_spell"

    @classmethod
    def of(cls, problems: Sequence[Mapping[str, Any]]) -> SpellRefused:
        """Return the refusal for ``problems`` (as JSON objects, at least one)."""
        first = problems[0]
        return cls(
            str(first["message"]), code=str(first["code"]), details={"problems": list(problems)}
        )


class RateLimited(ServerError):
    """Too many attempts; ``details.retry_after`` is in seconds."""

    status = 429
    default_code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, details={"retry_after": max(1, round(retry_after))})


class Internal(ServerError):
    """A fault of ours; ``details.id`` finds it in the log. Says nothing of the cause."""

    status = 500
    default_code = "internal"


class BadGateway(ServerError):
    """A server behind ours, such as one of models, gave no usable answer."""

    status = 502
    default_code = "bad_gateway"


class Unavailable(ServerError):
    """The server cannot do this now: it is stopping, or a part of it is down."""

    status = 503
    default_code = "unavailable"


class StoreUnavailable(Unavailable):
    """The database did not take the write: it is full, locked or gone."""

    default_code = "store_unavailable"


def internal(where: str, error: BaseException) -> Internal:
    """Log a fault of ours under an id, and return the error that carries only that id."""
    fault = uuid4().hex[:12]
    logger.error("fault %s in %s", fault, where, exc_info=error)
    return Internal(f"Something went wrong on the server (fault {fault})", details={"id": fault})
