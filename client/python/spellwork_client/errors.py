"""What can go wrong on this side of the wire.

::

    ClientError
    ├── ConnectionLost        the server cannot be reached, or went away during a request
    ├── Refused               the server said no: .code, .message, .details
    │   ├── Unauthenticated   who are you? (sign in, or make a new API key)
    │   ├── Forbidden         you may not
    │   ├── NotFound          it is not there
    │   ├── BadRequest        the request is malformed: .fields lists what and what is allowed
    │   ├── SpellRefused      the spell cannot run: .problems lists why, node by node
    │   ├── RateLimited       too often: .retry_after, in seconds
    │   └── ServerFault       the server failed, not the request
    └── RunStopped            a run ended without results: .run, .status
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """The base of everything this package raises."""


class ConnectionLost(ClientError):
    """The server could not be reached, or went away before it answered.

    A request that was under way may or may not have been done.
    """


class Refused(ClientError):
    """The server refused; ``code`` is stable, ``message`` is for people, ``details`` are plain JSON."""

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class Unauthenticated(Refused):
    """The token or password is wrong, expired or revoked."""


class Forbidden(Refused):
    """The account may not do this."""


class NotFound(Refused):
    """The thing named is not there, or not for this account."""


class BadRequest(Refused):
    """The request is malformed."""

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Each wrong field: ``{field, message, allowed?}``."""
        return list(self.details.get("errors", []))


class SpellRefused(Refused):
    """The spell cannot be compiled."""

    @property
    def problems(self) -> list[dict[str, Any]]:
        """Each problem: ``{code, message, node?, edge?, port?, details}``."""
        return list(self.details.get("problems", []))


class RateLimited(Refused):
    """Too many attempts."""

    @property
    def retry_after(self) -> float:
        """Seconds to wait before the next attempt."""
        return float(self.details.get("retry_after", 1))


class ServerFault(Refused):
    """The server failed; ``details['id']`` finds the fault in its log."""


class RunStopped(ClientError):
    """A run was cancelled, interrupted, or failed as a whole."""

    def __init__(self, run: str, status: str, reason: str = "") -> None:
        super().__init__(f"run {run} ended as {status}" + (f": {reason}" if reason else ""))
        self.run = run
        self.status = status


_BY_CODE: dict[str, type[Refused]] = {
    "unauthenticated": Unauthenticated,
    "wrong_credentials": Unauthenticated,
    "forbidden": Forbidden,
    "not_found": NotFound,
    "bad_request": BadRequest,
    "no_value": BadRequest,
    "rate_limited": RateLimited,
    "internal": ServerFault,
    "unavailable": ServerFault,
    "store_unavailable": ServerFault,
}


def refused(error: Mapping[str, Any]) -> Refused:
    """Return the exception for an ``error`` of the wire: ``{code, message, details}``."""
    code = str(error.get("code", "unknown"))
    details = error.get("details") or {}
    kind = _BY_CODE.get(code, Refused)
    if code.startswith("token_"):
        kind = Unauthenticated
    elif code.endswith("_not_found"):
        kind = NotFound
    elif "retry_after" in details:
        kind = RateLimited
    elif "problems" in details:
        kind = SpellRefused
    elif "errors" in details:
        kind = BadRequest
    return kind(code, str(error.get("message", code)), details)
