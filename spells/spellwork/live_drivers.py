"""The tasks that carry a live session: there are some while something is ready or under way, and none at rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .crew import Crew
from .drivers import Drivers

if TYPE_CHECKING:
    from .live_loop import LiveLoop

logger = logging.getLogger(__name__)


class LiveDrivers(Drivers):
    """Drivers that outlive the state that they work on: a session goes on with another plan."""

    def __init__(
        self,
        loop: LiveLoop,
        crew: Crew,
        settled: Callable[[], None],
        stumbled: Callable[[BaseException], None],
    ) -> None:
        super().__init__(loop.state, loop.drive, crew)
        self._live = loop
        self._settled = settled
        self._stumbled = stumbled
        crew.join(self)

    def follow(self) -> None:
        """Work on what the loop works on now."""
        self._state = self._live.state
        self.ready = self._state.ready

    def wake(self) -> None:
        """Start a driver when something is ready and may start."""
        if not self._live.paused or self.crew.credit:
            super().wake()
        else:
            self._live.queue()

    def suspended(self) -> None:
        """Take it that a driver waits in a node: let others go on with what is ready."""
        if not self._live.paused or self.crew.credit:
            super().suspended()
        else:
            self._live.queue()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.crew.free += 1
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a live session stumbled", exc_info=error)
            self._stumbled(error)
        if not self._tasks and self.cancelling:
            self._finish()
        elif not self._tasks and self._state.ready:
            self.wake()
        if self.crew.limited:
            self.crew.wake()
        if not self.cancelling and self._live.idle:
            self._settled()

    def hold(self) -> None:
        """Let no further step start until ``let_go``."""
        self._live.hold()

    def let_go(self) -> None:
        """Go on after ``hold``."""
        self._live.let_go()

    def look_again(self) -> None:
        """Look at what is held: the crew lets one of it start."""
        self.wake()

    def new(self) -> Coroutine[Any, Any, None]:
        """Return the coroutine of a driver, which begins."""
        self._starting -= 1
        return self._live.drive()
