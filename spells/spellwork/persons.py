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

if TYPE_CHECKING:
    from .asking import Question
    from .context import Context
    from .host import RunHost
    from .standstill import Party


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
    *_, outermost = _calls(context)
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
    calls = list(_calls(context))
    for call in calls:
        if call.passage is not None:
            call.passage.leave()
    host.crew.begin_ask(path, answer)
    try:
        with _standing_still(calls):
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


def _calls(context: Context) -> Iterator[Context]:
    """Return a call and those that it is inside of, of one node."""
    yield context
    while context.inner is not None:
        context = context.inner.outer
        yield context


@contextmanager
def _standing_still(calls: Iterable[Context]) -> Iterator[None]:
    """Let the timeouts of calls stand still."""
    wait, parties = _ForPeople(), [call.flows.party for call in calls]
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
