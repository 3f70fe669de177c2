"""Hold commits up, to look at what happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from spellwork_server.storage.writer_thread import Work, WriterThread


@asynccontextmanager
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """Hold every write to the log up until the block ends; the event is set while one waits."""
    write, go, waiting = WriterThread.write, asyncio.Event(), asyncio.Event()

    async def wait(self: WriterThread, batch: Sequence[Work], *further: Any) -> list[Any]:
        waiting.set()
        await go.wait()
        return await write(self, batch, *further)

    with monkeypatch.context() as patch:
        patch.setattr(WriterThread, "write", wait)
        try:
            yield waiting
        finally:
            go.set()
