"""How a call waits for people: it holds no place of the run, its timeout stands still, and the run may come to rest."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import NodeError
from .events import Event
from .standstill import Party

if TYPE_CHECKING:
    from .asking import Question
    from .context import Context
    from .host import RunHost


async def ask_people(host: RunHost, context: Context, question: Question) -> Any:
    """Put a question to people by way of the run's asker, and return the answer; see ``Context.ask``."""
    if host.asker is None:
        raise NodeError(
            "nobody can be asked here: questions to people need a run that can wait for them,"
            " which live mode and a script of its own are not",
            code="no_asker",
            retryable=False,
        )
    if not host.is_here(threading.get_ident()):
        raise NodeError(
            "only a coroutine of the run's own process can ask people: give the question to a node of its own",
            code="no_asker",
            retryable=False,
        )
    outermost = context
    while outermost.inner is not None:
        outermost = outermost.inner.outer
    path = f"{outermost.path}{outermost.number('')}"
    answer = await host.asker(path, question)
    if not answer.done():
        outermost.flows.tell_now()
        host.report(_waiting(outermost.node_id, path, question))
        await _answered(host, outermost.path, context, answer)
    if answer.cancelled():
        raise NodeError("the question was withdrawn", code="not_answered", retryable=False)
    return answer.result()


async def _answered(
    host: RunHost, path: str, context: Context, answer: asyncio.Future[Any]
) -> None:
    """Wait for an answer; whoever stops waiting cancels it."""
    host.crew.begin_ask(path, answer)
    try:
        with _standing_still(context):
            await asyncio.wait((answer,))
    except asyncio.CancelledError:
        answer.cancel()
        raise
    finally:
        host.crew.end_ask(path, answer)


def _waiting(node: str, path: str, question: Question) -> Event:
    data: dict[str, Any] = {"for": "person", "kind": question.kind, "question": path}
    data |= {
        name: value for name in ("user", "role") if (value := getattr(question, name)) is not None
    }
    return Event("node.waiting", time.time(), node, message=question.title, data=data)


@contextmanager
def _standing_still(context: Context | None) -> Iterator[None]:
    """Let the timeouts of a call, and of those that it is a call of, stand still."""
    wait, parties = _ForPeople(), list[Party]()
    while context is not None:
        parties.append(context.flows.party)
        context = None if context.inner is None else context.inner.outer
    for party in parties:
        party.begin_wait(wait)
    try:
        yield
    finally:
        for party in parties:
            party.end_wait(wait)


class _ForPeople:
    """What a call waits for that waits for people: no other call can stand in their way."""

    def waits_for(self) -> Iterable[Party]:
        return ()

    def widen(self) -> None:
        """Do nothing."""
