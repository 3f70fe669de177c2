"""The turn of a call: what the processes of its worker ask of it, and its place among all calls that run."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection

from spellwork.context import Context

from .exchange import Exchange
from .process import WorkerProcess
from .spec import WorkerSpec


class Places:
    """Places for so many at once, first come first served."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take_now(self) -> bool:
        """Take a place if one is free; return whether one was. ``give_back`` it after."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def take(self) -> None:
        """Wait for a place and take it; ``give_back`` it after."""
        if self.take_now():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given one meanwhile
                self.give_back()
            raise

    def give_back(self) -> None:
        """Give a place back: to who waits longest, if anybody does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Turn:
    """Somebody who wants a process of a worker: here for nothing but to have one.

    ``holds`` is the process that holds values which it needs; where that is gone any will do.
    """

    def __init__(self, spec: WorkerSpec, places: Places, holds: str | None = None) -> None:
        self.spec = spec
        self.holds = holds
        self._places = places
        self._admitted = False

    @property
    def held_up(self) -> bool:
        """Whether it has a process and waits for a stream, which other calls may have to fill."""
        return False

    def waits(self) -> None:
        """Take it that no process is free."""

    def begin(self, worker: WorkerProcess) -> None:
        """Begin at once, where that is possible: this process is free, and not yet known to who waits for it."""

    async def admit(self) -> None:
        """Wait for a place among all that run."""
        if not self._admitted:
            await self._places.take()
            self._admitted = True

    def admit_now(self) -> bool:
        """Take a place if one is free; return whether there is one now."""
        if not self._admitted:
            self._admitted = self._places.take_now()
        return self._admitted

    def end(self) -> None:
        """Give the place back; a second call does nothing."""
        if self._admitted:
            self._admitted = False
            self._places.give_back()


class CallTurn(Turn):
    """The turn of a call. ``unconfined``: what its code may reach where the machine does not close it."""

    def __init__(
        self,
        spec: WorkerSpec,
        places: Places,
        exchange: Exchange,
        context: Context,
        unconfined: Collection[str],
    ) -> None:
        super().__init__(spec, places, exchange.holder)
        self._exchange = exchange
        self._context = context
        self._unconfined = unconfined

    @property
    def held_up(self) -> bool:
        """Whether its code waits for chunks of a stream, or for who reads its own."""
        return self._exchange.held_up

    def waits(self) -> None:
        """Tell whoever watches."""
        self._context.waits("worker", "waits for its worker")

    def begin(self, worker: WorkerProcess) -> None:
        """Send the call while the task that waits for the process is still asleep, so that the process is not."""
        if not worker.confinement.open_ways(self._unconfined) and self.admit_now():
            self._exchange.begin(worker)
