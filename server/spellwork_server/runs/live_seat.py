"""The session behind a live mode, and its runs: each settle of it is a run of its own, with a record and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from spellwork import LiveSession, Plan, RunMemory, RunResult, Sink
from spellwork.encoding import Encodings

FORSAKEN = 5.0
"""Seconds after which what a superseded run left under way is cancelled, where no run has taken it over."""

Open = Callable[[Plan, RunMemory, Sink], LiveSession]
"""Makes a session."""


class LiveSeat:
    """The session of one live mode. It is made with its first run, and anew after a run beside it has touched the memory."""

    def __init__(self) -> None:
        self.encodings = Encodings()
        """The JSON of large values that the session came by of late."""
        self._session: LiveSession | None = None
        self._users = 0
        self._free = asyncio.Event()
        self._free.set()

    async def enter(self, make: Open, plan: Plan, memory: RunMemory, sink: Sink) -> LiveSession:
        """Return the session, on its way to ``plan``; ``leave`` it once for each call."""
        self._users += 1
        self._free.clear()
        if self._session is None:
            self._session = make(plan, memory, sink)
        else:
            self._session.replace(plan)
        return self._session

    async def preview(self, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return what cheap nodes give for drafts of inputs, by node and port; nothing before the first run.

        Raises InvalidInput for an input that is not there or does not fit.
        """
        return {} if self._session is None else await self._session.preview(inputs)

    def leave(self) -> None:
        """Give the session back after a run."""
        self._users -= 1
        if not self._users:
            self._free.set()

    async def renew(self) -> None:
        """Close the session: the next run begins from what the memory holds."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Close the session when its runs have ended."""
        await self._free.wait()
        await self.renew()


class LiveExecution:
    """One run of a live session, steered as an ``Execution`` is."""

    def __init__(
        self, seat: LiveSeat, make: Open, plan: Plan, memory: RunMemory, sink: Sink, run_id: str
    ) -> None:
        self._seat = seat
        self._make = make
        self._plan = plan
        self._memory = memory
        self._sink = sink
        self._run_id = run_id
        self._session: LiveSession | None = None
        self._paused = False

    async def run(self) -> RunResult:
        """Run what changed to its end, or until another run takes its place."""
        session = await self._seat.enter(self._make, self._plan, self._memory, self._sink)
        self._session = session
        try:
            if self._paused:
                session.pause()
            else:
                session.play()
            session.begin(self._sink, self._run_id)
            return await session.told()
        except asyncio.CancelledError:
            session.cancel()
            raise
        finally:
            self._session = None
            self._seat.leave()

    def cancel(self) -> None:
        """End the run: what is under way is cancelled."""
        if self._session is not None:
            self._session.cancel()

    def give_way(self) -> None:
        """End the run for the next one, which goes on with what it does not overtake."""
        session = self._session
        if session is not None:
            session.interrupt()
            asyncio.get_running_loop().call_later(FORSAKEN, _forsake, session)

    def pause(self) -> None:
        """Start no further node."""
        self._paused = True
        if self._session is not None:
            self._session.pause()

    def play(self) -> None:
        """Go on after a pause."""
        self._paused = False
        if self._session is not None:
            self._session.play()

    def step(self) -> None:
        """While paused, start exactly one more node."""
        if self._session is not None:
            self._session.step()


def _forsake(session: LiveSession) -> None:
    if not session.is_telling:
        session.cancel()
