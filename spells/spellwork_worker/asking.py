"""What code asks of the server: each question waits for its own answer, in whichever thread asks."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from typing import Any

from .frames import Answer, Ask, encode


class RefusedError(Exception):
    """The server refused what was asked of it, or failed at it. ``code`` is for programs."""

    retryable = False
    port = None

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


class Asking:
    """Sends questions of the call under way and hands each answer to who waits for it.

    ``attend`` has the pipe read from now on.
    """

    def __init__(
        self, send: Callable[[bytes], None], attend: Callable[[], None], call: Callable[[], int]
    ) -> None:
        self._send = send
        self._attend = attend
        self._call = call
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[Answer]] = {}
        self._lock = threading.Lock()

    def ask(self, what: str, fields: dict[str, Any]) -> Any:
        """Ask, and wait for the answer. Raises RefusedError."""
        answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
        try:
            self._send(encode(Ask(self._call(), number, what, fields)))
            self._attend()
            told = answer.get()
        finally:
            self._waiting.pop(number, None)
        if told.error is not None:
            raise RefusedError(told.error, told.code)
        return told.value

    def take(self, answer: Answer) -> None:
        """Take an answer from who reads the pipe."""
        waiting = self._waiting.get(answer.number)
        if waiting is not None:
            waiting.put(answer)


_current: Asking | None = None


def serve(asking: Asking) -> None:
    """Have ``ask`` of this process go this way."""
    global _current  # noqa: PLW0603 - a process is one worker
    _current = asking


def ask(what: str, fields: dict[str, Any]) -> Any:
    """Ask the server for something on behalf of the code that runs. Raises RefusedError."""
    if _current is None:
        raise RefusedError("there is no server to ask: this is no worker", "not_granted")
    return _current.ask(what, fields)
