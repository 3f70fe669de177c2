"""Live mode: as the canvas changes, what depends on the change runs again, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from spellwork import Plan
from spellwork_server.errors import BadRequest, ServerError, SpellRefused
from spellwork_server.identity import Actor

from .run import Run
from .spell_runner import RunRequest, SpellRunner
from .views import LiveNotice

DEBOUNCE = 0.05
"""Seconds without a further change before one is acted on."""

MAX_DELAY = 0.25
"""Seconds after which a change is acted on even while others follow, as when somebody drags a slider."""

logger = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, str], ...]


class LiveMode:
    """Follows the room of one runner until ``stop``.

    ``may_run`` is asked before every run, since a role may be taken away: it gives who runs, as they are now.
    """

    def __init__(
        self,
        runner: SpellRunner,
        request: RunRequest,
        may_run: Callable[[], Awaitable[Actor | None]],
        on_end: Callable[[LiveMode], None],
        tell: Callable[[LiveMode], None],
    ) -> None:
        if runner.room is None:
            raise ValueError("live mode follows a canvas")
        self.runner = runner
        self.audience = request.audience
        self._request = replace(request, spell=None, mode="live", on_busy="replace")
        self._may_run = may_run
        self._on_end = on_end
        self._tell = tell
        self.error: LiveNotice | None = None
        """Why the canvas cannot run as it is."""
        self.waiting: LiveNotice | None = None
        """Why it was not run, though it may be able to."""
        self._changed = asyncio.Event()
        self._stopped = False
        self._ran: Fingerprint | None = None
        self._unsubscribe = runner.room.subscribe(self._changed.set)
        self._unwatch: Callable[[], None] = lambda: None

    async def start(self) -> Run:
        """Run the canvas as it is; raises what ``SpellRunner.start`` does, and is over then."""
        try:
            await self._prepare()
            spell, plan = self.runner.compile(self._request)
            run = await self.runner.start_plan(spell, plan, self._request)
        except BaseException:
            self.stop()
            raise
        self._ran = fingerprint(plan)
        return run

    async def follow(self) -> None:
        """Run again after each change that matters, until ``stop``. Never raises but for cancellation."""
        try:
            while not self._stopped:
                await self._changed.wait()
                await self._settle()
                if not self._stopped:
                    await self._act()
        finally:
            self.stop()

    def stop(self) -> None:
        """Leave live mode; what is in flight goes on."""
        if not self._stopped:
            self._stopped = True
            self._unsubscribe()
            self._unwatch()
            self._changed.set()
            self._on_end(self)

    async def _prepare(self) -> None:
        """Find the canvases that this one runs inside itself; a change of theirs is a change of it."""
        await self.runner.prepare(self._request)
        self._unwatch()
        self._unwatch = self.runner.watch_children(self._changed.set)
        if self._stopped:
            self._unwatch()

    async def _settle(self) -> None:
        """Wait until no change has come for DEBOUNCE, at most MAX_DELAY."""
        deadline = asyncio.get_running_loop().time() + MAX_DELAY
        while self._changed.is_set() and not self._stopped:
            self._changed.clear()
            left = deadline - asyncio.get_running_loop().time()
            if left > 0:
                await asyncio.sleep(min(DEBOUNCE, left))

    async def _act(self) -> None:
        try:
            actor = await self._may_run()
            if actor is None:
                self.stop()
                return
            self._request = replace(self._request, actor=actor)
            await self._prepare()
            spell, plan = self.runner.compile(self._request)
            if fingerprint(plan) != self._ran:
                await self.runner.start_plan(spell, plan, self._request)
                self._ran = fingerprint(plan)
            self._notice()
        except (
            ServerError
        ) as error:  # an unfinished edit, or a store that fails: the next change tries again
            logger.debug("live mode of %s waits: %s", self.runner.canvas, error.message)
            said = _said(error)
            if isinstance(error, SpellRefused | BadRequest):
                self._notice(error=said)
            else:
                self._notice(waiting=said)
        except Exception:
            logger.exception("live mode of %s", self.runner.canvas)
            message = "The server could not run the canvas; the next change tries again"
            self._notice(waiting=LiveNotice(code="internal", message=message))

    def _notice(self, error: LiveNotice | None = None, waiting: LiveNotice | None = None) -> None:
        """Tell why live mode does not run, or that it does, where that is news."""
        if (error, waiting) != (self.error, self.waiting) and not self._stopped:
            self.error, self.waiting = error, waiting
            self._tell(self)


def _said(error: ServerError) -> LiveNotice:
    problems = error.details.get("problems") or [{}]
    return LiveNotice(code=error.code, message=error.message, node=problems[0].get("node"))


def fingerprint(plan: Plan) -> Fingerprint:
    """Return what matters of a plan: each node and what it is made from. Places and names do not."""
    return tuple(zip(plan.index, plan.recipes, strict=True))
