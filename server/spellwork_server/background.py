"""Work that goes on in the background for as long as something is entered."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Self


class Background(ABC):
    """An async context manager that begins ``_go`` when it is entered, and cancels it when it is left."""

    name: ClassVar[str]
    """What the task is called."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._going: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._going = self._group.create_task(self._go(), name=self.name)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._going is not None:
            self._going.cancel()
        await self._group.__aexit__(None, None, None)

    @abstractmethod
    async def _go(self) -> None:
        """Work until it is cancelled."""


class Settling(Background):
    """Does what it is asked for once for all that is asked within ``settle`` seconds, and for the rest when it is left."""

    settle: ClassVar[float]

    def __init__(self) -> None:
        super().__init__()
        self._asked = asyncio.Event()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._settle()

    def _ask(self) -> None:
        """Have ``_settle`` called soon."""
        self._asked.set()

    async def _go(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await asyncio.sleep(self.settle)
            await self._settle()

    @abstractmethod
    async def _settle(self) -> None:
        """Do all that was asked for. Must not raise."""
