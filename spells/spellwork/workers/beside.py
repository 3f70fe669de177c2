"""What goes on beside a conversation: nothing, for most."""

from __future__ import annotations

from asyncio import TaskGroup
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class Beside:
    """A task group that is made with its first task: most calls need none, and it costs as much as they do."""

    def __init__(self) -> None:
        self._group: TaskGroup | None = None

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin something. It fails, and is waited for, as in a TaskGroup of the task that entered this one."""
        if self._group is None:
            group = TaskGroup()
            await group.__aenter__()
            self._group = group
        self._group.create_task(work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._group is not None:
            await self._group.__aexit__(kind, error, trace)
