"""The registry: every operation by name, and the one way to call any of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from spellwork_server.errors import BadRequest, NotFound, ServerError, Unauthenticated, internal

from .service import Call, Document, EventStream, Operation, Service
from .validation import field_errors

MAX_NAME = 100
"""Characters of an unknown event's name that are looked at, and told."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that the server sends to sockets, for the AsyncAPI document."""

    event: str
    model: type[BaseModel]
    summary: str


class Registry:
    """Operations and announced events. Filled by ``make_app``, read by both transports."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}
        self._announcements: dict[str, Announcement] = {}

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Every operation, by its socket event's name."""
        return self._operations

    @property
    def announcements(self) -> Mapping[str, Announcement]:
        """Every event that the server may send, by name."""
        return self._announcements

    def add(self, *services: Service) -> None:
        """Mount all operations of ``services``. A name or route taken twice is a TypeError."""
        routes = {operation.rest for operation in self._operations.values() if operation.rest}
        for operation in (each for service in services for each in service.operations()):
            if operation.name in self._operations or operation.rest in routes:
                raise TypeError(f"{operation.name} ({operation.rest}) is mounted twice")
            if operation.rest:
                routes.add(operation.rest)
            self._operations[operation.name] = operation

    def announce(self, event: str, model: type[BaseModel], summary: str) -> None:
        """Document an event that the server sends to sockets."""
        self._announcements[event] = Announcement(event, model, summary)

    def cost(self, name: str) -> int:
        """Return what an event takes of its socket's rate."""
        operation = self._operations.get(name)
        return 1 if operation is None else operation.cost

    async def dispatch(self, name: str, payload: Any, call: Call) -> dict[str, Any]:
        """Run a socket event's operation: parse, run, dump. Raises ServerError and nothing else.

        The answer is plain JSON values, except that ``binary`` operations may
        hold bytes.
        """
        operation = self._operations.get(name)
        if operation is None or not operation.socket:
            raise self._unknown(name)
        answer = await self.run(operation, payload, call)
        if isinstance(answer, Document):
            return dump(operation, answer.view)
        if isinstance(answer, EventStream):
            raise BadRequest(f"{name} streams over REST only; on a socket use events.resume")
        return answer

    async def run(
        self, operation: Operation, payload: Any, call: Call
    ) -> dict[str, Any] | EventStream | Document:
        """Run one operation for either transport; the same checks, in the same order."""
        if call.actor is None and not operation.public:
            raise Unauthenticated("Sign in first: this needs an access token or an API key")
        request = parse(operation, payload)
        try:
            answer = await operation.call(call, request)
        except ServerError:
            raise
        except (
            Exception
        ) as error:  # the edge of every operation: a fault of ours gets an id, not a traceback
            raise internal(operation.name, error) from error
        if isinstance(answer, (EventStream, Document)):
            return answer
        return dump(operation, answer)

    def _unknown(self, name: str) -> NotFound:
        name = str(name)[:MAX_NAME]
        known = [each.name for each in self._operations.values() if each.socket]
        close = difflib.get_close_matches(name, known, n=5) or sorted(known)
        return NotFound(
            f"There is no event {name!r}",
            code="unknown_event",
            details={"event": name, "known": close},
        )


def parse(operation: Operation, payload: Any) -> BaseModel:
    """Return the payload as the operation's request model, or raise BadRequest naming each wrong field."""
    if not isinstance(payload, Mapping):
        raise BadRequest(
            f"{operation.name} takes an object of fields, not {type(payload).__name__}"
        )
    try:
        return operation.request.model_validate(payload)
    except ValidationError as error:
        errors = field_errors(error, operation.request)
        first = errors[0]
        raise BadRequest(
            f"{operation.name}: {first['field'] or 'request'}: {first['message']}",
            details={"errors": errors},
        ) from error


def dump(operation: Operation, answer: BaseModel | None) -> dict[str, Any]:
    """Return the answer as plain values."""
    if answer is None:
        return {}
    return answer.model_dump(mode="python" if operation.binary else "json", by_alias=True)
