"""Pauses, plays and steps runs, whichever process carries them.

It travels as a cancel does, through the database: whoever carries runs looks a
few times a second what is asked of them (``Dispatcher``). Other than a cancel it
is answered, for two steps are two, and who steps wants to know that it was one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from spellwork_server.errors import Unavailable
from spellwork_server.storage.run_records import OPEN, RunRecord, RunRecords
from spellwork_server.storage.steering import NOT_THERE, Asked, SteerStore, Told, What

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""Between two looks for an answer."""

PATIENCE = 5.0
"""Seconds within which a process answers that is there."""


class Steered(Protocol):
    """What is needed of ``runs.Run``."""

    @property
    def status(self) -> str:
        """What it does now."""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""

    @property
    def is_let_go(self) -> bool:
        """Whether it is stopped here though it is open."""

    def pause(self) -> None:
        """Start no further node."""

    def play(self) -> None:
        """Go on."""

    def step(self) -> bool:
        """Start one more node; False where none can."""


def steer(run: Steered, what: What) -> Told:
    """Steer a run of this process."""
    if run.is_let_go:
        return NOT_THERE
    if not run.is_open:
        return Told(run.status, False)
    if what == "step":
        return Told(run.status, run.step())
    {"pause": run.pause, "play": run.play}[what]()
    return Told(run.status, True)


class Steering:
    """Steers runs here, has others steer theirs, and does what others ask (``obey``).

    ``find`` returns a run that this process carries, or None; ``process`` its own id.
    """

    def __init__(
        self,
        store: SteerStore,
        records: RunRecords,
        find: Callable[[str], Steered | None],
        process: Callable[[], str],
    ) -> None:
        self._store = store
        self._records = records
        self._find = find
        self._process = process
        self._unsaid: dict[str, Told] = {}
        """Answers that the store did not take yet: what was done is not done again, nor kept from who asked."""

    async def steer(self, record: RunRecord, what: What) -> Told | None:
        """Steer an open run where it is carried; None where nobody carries it, or whoever does gives no answer in time.

        NOT_THERE where it was removed meanwhile.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._steer(record, what)
        except TimeoutError:
            return None

    async def _steer(self, record: RunRecord, what: What) -> Told | None:
        while True:
            here = self._find(record.id)
            told = NOT_THERE
            if here is not None:
                told = steer(here, what)
            elif record.process_id is not None:
                told = await self._ask(record.id, record.process_id, what)
            if told != NOT_THERE:
                return told
            found = await self._records.get(record.id)  # it may have changed hands meanwhile
            if found is None:
                return NOT_THERE
            if found.process_id is None and found.status in OPEN:
                return None
            if found.status not in OPEN:
                return Told(found.status, False)
            record = found
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask(self, run: str, process: str, what: What) -> Told:
        asked = await self._store.ask(run, process, what)
        try:
            told = await self._store.told(asked)
            while told is None:
                await asyncio.sleep(LOOK_SECONDS)
                told = await self._store.told(asked)
            return told
        finally:
            with suppress(Unavailable):  # nobody does what was asked so long ago
                await self._store.withdraw(asked)

    async def obey(self) -> None:
        """Do what is asked of runs here: each once, in the order it was asked. Raises Unavailable; the answers follow then."""
        for asked in await self._store.take(self._process()):
            self._unsaid[asked.id] = self._obeyed(asked)
        answers, self._unsaid = self._unsaid, {}
        try:
            await self._store.answer(answers)
        except Unavailable:
            self._unsaid = answers | self._unsaid
            raise

    def _obeyed(self, asked: Asked) -> Told:
        run = self._find(asked.run)
        try:
            return NOT_THERE if run is None else steer(run, asked.what)
        except Exception:  # the edge of one run: others are steered
            logger.exception("run %s could not be steered", asked.run)
            return NOT_THERE
