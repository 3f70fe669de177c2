"""The places of runs in their queues: given to others for as long as a run only waits for these.

A queue may allow one run at a time, and a run of it may have placed a node on
the same queue: each would wait for the other for ever. So a run that does
nothing but wait for such calls gives its place back, and has one again before
it goes on. Meanwhile nobody new gets that place: else what has begun would
wait behind all that has not.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

from spellwork_server.errors import Unavailable
from spellwork_server.storage.journal import Claim
from spellwork_server.storage.queues import QueueStore

LOOK_SECONDS = (0.1, 0.3)
"""Between two looks whether there is room again: by chance, so that runs do not look all at once."""

logger = logging.getLogger(__name__)


class Places:
    """Lends the places of the runs that this process carries.

    ``ring`` says to this process's dispatcher that there is room; ``spawn``
    does something in the background.
    """

    def __init__(
        self,
        store: QueueStore,
        process: Callable[[], str],
        ring: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.store = store
        self.process = process
        self.ring = ring
        self.spawn = spawn
        self._places: dict[Claim, Place] = {}

    def take(self, claim: Claim, queue: str, ended: asyncio.Event) -> Place:
        """Return the place of a run, for one call that waits; ``leave`` it once for each call.

        ``ended`` is set once nothing more is done for the run here.
        """
        place = self._places.get(claim)
        if place is None:
            place = self._places[claim] = Place(self, claim, queue, ended)
        place.calls += 1
        return place

    def leave(self, place: Place) -> None:
        """Take it that a call waits no more."""
        place.calls -= 1
        if place.is_settled:
            self.forget(place)

    def forget(self, place: Place) -> None:
        """Know no more of a place that no call waits for."""
        if not place.calls and self._places.get(place.claim) is place:
            del self._places[place.claim]


class Place:
    """The place of one run in its queue."""

    def __init__(self, places: Places, claim: Claim, queue: str, ended: asyncio.Event) -> None:
        self.claim = claim
        self.calls = 0
        """The calls of the run that wait for runs of their own."""
        self._places = places
        self._queue = queue
        self._ended = ended
        self._lent = False
        self._wanted = True
        """Whether the run has anything to do."""
        self._going_on = 0
        """Calls that have their end, and go on once the run has its place."""
        self._turn = asyncio.Lock()

    @property
    def is_settled(self) -> bool:
        """Whether the run has it, and nothing of that is still to be written."""
        return not (self._lent or self._turn.locked())

    def tell(self, only_waits: bool) -> None:
        """Hear whether all that the run does is to wait; see ``Context.elsewhere``."""
        if self._going_on or only_waits is not self._wanted:
            return
        self._wanted = not only_waits
        self._places.spawn(self._lend() if only_waits else self._keep())

    async def _lend(self) -> None:
        async with self._turn:
            while not (self._wanted or self._lent or self._ended.is_set()):
                try:
                    await self._places.store.lend(self.claim)
                    self._lent = True
                except Unavailable as error:
                    await self._wait(error)
        self._places.ring()

    async def _keep(self) -> None:
        """Go on at once, even over the limit: what the run waited for beside such calls has come."""
        async with self._turn:
            while self._wanted and self._lent and not self._ended.is_set():
                try:
                    await self._places.store.keep(self.claim)
                    self._lent = False
                except Unavailable as error:
                    await self._wait(error)
        self._places.forget(self)

    def keep(self) -> None:
        """Let the run have its place again, in the background: a call of it was cut off, and it goes on without."""
        self._wanted = True
        self._places.spawn(self._keep())

    async def have(self) -> None:
        """Return once the run has its place again: a call of it goes on."""
        self._wanted = True
        self._going_on += 1
        try:
            async with self._turn:
                if self._lent:
                    await self._take_back()
                    self._lent = False
        finally:
            self._going_on -= 1

    async def _take_back(self) -> None:
        store, wants = self._places.store, False
        while True:
            try:
                if await store.have_back(self.claim, self._queue, self._places.process()):
                    return
                if not wants:
                    await store.want_back(self.claim)
                    wants = True
                await self._wait()
            except Unavailable as error:
                await self._wait(error)

    async def _wait(self, error: Unavailable | None = None) -> None:
        if error is not None:
            logger.warning("the place of run %s in its queue: %s", self.claim[0], error.message)
        await asyncio.sleep(random.uniform(*LOOK_SECONDS))  # noqa: S311 - spreads load
