"""Hold commits up, to look at what happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from spellwork_server.storage.insertion import Appender, Rows


@asynccontextmanager
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """Hold every write to the log up until the block ends; the event is set while one waits."""
    write, go, waiting = Appender.write, asyncio.Event(), asyncio.Event()

    async def wait(self: Appender, batch: Sequence[tuple[str, Rows]], *further: Any) -> None:
        waiting.set()
        await go.wait()
        await write(self, batch, *further)

    with monkeypatch.context() as patch:
        patch.setattr(Appender, "write", wait)
        try:
            yield waiting
        finally:
            go.set()
