"""Where calls wait for their turn: first come, first served, and strictly within the limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from .limiters import Clock, Composite, Concurrency, Deferral, Limiter
from .spell import NodeLimits

Waiting = Callable[[str, float | None], None]
"""Told what a call waits for, and until when (Unix seconds; None when that is not known)."""


class Gate:
    """The limits of one thing (a node, a type, a provider, a user, the server), and those who wait there.

    A call passes in two steps, so that it can wait at several gates and yet
    counts as started at all of them at one moment: ``ready`` returns when it
    is its turn and there is room, and holds the turn until ``begin`` or ``drop``.
    """

    def __init__(self, what: str, limits: NodeLimits | None, clock: Clock) -> None:
        self.what = what
        self.delay = (limits.delay if limits else None) or 0.0
        self._clock = clock
        self._turn = asyncio.Lock()
        self._ended = asyncio.Event()
        self._deferral = Deferral(clock)
        self._slots = Concurrency(limits.concurrency) if limits and limits.concurrency else None
        paces: list[Limiter] = [self._deferral]
        if limits and (limits.rate or limits.spacing):
            paces += _rates(limits, clock)
        self._pace = Composite(paces)
        self._whole = Composite([*paces, self._slots]) if self._slots else self._pace

    def limiter(self, *, inside: bool) -> Limiter:
        """Return what holds for a call; one ``inside`` another that has its place here needs no second one."""
        return self._pace if inside else self._whole

    def defer(self, seconds: float) -> None:
        """Let no call start for so many seconds."""
        self._deferral.defer(seconds)

    async def ready(self, limiter: Limiter, waiting: Waiting) -> None:
        """Wait for the turn, and then for room; tell ``waiting`` when that is not at once."""
        if self._turn.locked():
            waiting(self.what, None)
        await self._turn.acquire()
        try:
            while (left := await limiter.wait()) != 0:
                waiting(self.what, None if left is None else self._clock.now() + left)
                if left is None:
                    self._ended.clear()
                    await self._ended.wait()
                else:
                    await self._clock.sleep(left)
        except BaseException:
            self._turn.release()
            raise

    async def begin(self, limiter: Limiter) -> None:
        """Count the call as started, and let the next have its turn."""
        try:
            await limiter.begin()
        finally:
            self._turn.release()

    def drop(self) -> None:
        """Give up the turn."""
        self._turn.release()

    def end(self, limiter: Limiter) -> None:
        """Count the call as ended."""
        limiter.end()
        self._ended.set()

    @property
    def in_use(self) -> bool:
        """Whether a call waits here or goes on."""
        return self._turn.locked() or not (self._slots is None or self._slots.is_idle())

    def is_idle(self) -> bool:
        """Say whether forgetting the gate would change nothing."""
        return not self._turn.locked() and self._whole.is_idle()


_inside: ContextVar[frozenset[Gate]] = ContextVar("spellwork_gates", default=frozenset())
"""The gates that the calls which this one is inside of have passed."""


class Passage:
    """One call's way through its gates, from the narrowest to the widest: an async context manager."""

    def __init__(self, gates: Sequence[Gate], clock: Clock, waiting: Waiting) -> None:
        held = _inside.get()
        self._gates = [(gate, gate.limiter(inside=gate in held)) for gate in gates]
        self._held = held.union(gates)
        self._clock = clock
        self._waiting = waiting
        self._begun: list[tuple[Gate, Limiter]] = []

    async def __aenter__(self) -> None:
        delay = max(gate.delay for gate, _ in self._gates)
        if delay:
            slowest = max(self._gates, key=lambda each: each[0].delay)[0]
            self._waiting(slowest.what, self._clock.now() + delay)
            await self._clock.sleep(delay)
        ready: list[tuple[Gate, Limiter]] = []
        try:
            for gate, limiter in self._gates:
                await gate.ready(limiter, self._waiting)
                ready.append((gate, limiter))
            while ready:
                gate, limiter = ready.pop(0)
                await gate.begin(limiter)
                self._begun.append((gate, limiter))
        except BaseException:
            for gate, _ in ready:
                gate.drop()
            self._end()
            raise
        self._token = _inside.set(self._held)

    async def __aexit__(self, *exception: object) -> None:
        _inside.reset(self._token)
        self._end()

    def leave(self) -> None:
        """Give the places up while the call goes on: it waits for people, perhaps for days."""
        self._end()

    def _end(self) -> None:
        for gate, limiter in self._begun:
            gate.end(limiter)
        self._begun.clear()


def _rates(limits: NodeLimits, clock: Clock) -> list[Limiter]:
    from .rates import Rate, Spacing  # noqa: PLC0415 - a tenth of every start; few nodes have these

    paces: list[Limiter] = []
    if limits.rate:
        paces.append(Rate(limits.rate, limits.per, clock))
    if limits.spacing:
        paces.append(Spacing(limits.spacing, clock))
    return paces
