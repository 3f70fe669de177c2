"""Names of hosts, looked up for code in threads of their own: names that nobody answers hold up nothing else.

A lookup is a call of the system's that cannot be ended. So the threads serve nobody
else, one canvas has only few of them at a time, and nobody waits for one longer than a
while.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

THREADS = 16
MOST_OF_ONE = 2
"""Lookups of one canvas (or user without one) that may be under way; more wait."""

SECONDS = 10.0
"""How long one is waited for, the wait for its turn included."""


class _Share:
    """What one canvas has of the threads. ``users`` are those who wait, and lookups under way."""

    def __init__(self, most: int) -> None:
        self.turns = asyncio.Semaphore(most)
        self.users = 0


class Lookups:
    """Finds the addresses of hosts."""

    def __init__(
        self, threads: int = THREADS, most: int = MOST_OF_ONE, seconds: float = SECONDS
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, "names of hosts")
        self._most = most
        self._seconds = seconds
        self._shares: dict[str, _Share] = {}

    async def find(self, host: str, port: int, whose: str = "") -> Sequence[str]:
        """Return the addresses of a host, those to try first at the beginning; an address is its own.

        Raises:
            OSError: it has none (``socket.gaierror``), or nobody answered in time (TimeoutError).
        """
        with suppress(ValueError):
            return [str(ip_address(host))]
        share = self._shares.setdefault(whose, _Share(self._most))
        share.users += 1
        try:
            async with asyncio.timeout(self._seconds):
                await share.turns.acquire()
                return await asyncio.shield(self._begin(host, port, whose, share))
        finally:
            self._leave(whose, share)

    def _begin(
        self, host: str, port: int, whose: str, share: _Share
    ) -> asyncio.Future[Sequence[str]]:
        """Begin a lookup. Its turn is over when it has ended, though nobody may wait for it any more."""
        lookup = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)
        share.users += 1

        def ended(done: asyncio.Future[Sequence[str]]) -> None:
            share.turns.release()
            self._leave(whose, share)
            if not done.cancelled():
                done.exception()  # whoever asked may have gone

        lookup.add_done_callback(ended)
        return lookup

    def _leave(self, whose: str, share: _Share) -> None:
        share.users -= 1
        if not share.users:
            self._shares.pop(whose, None)

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> Sequence[str]:
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
