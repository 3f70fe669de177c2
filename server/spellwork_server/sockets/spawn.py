"""Work that goes on beside everything else; a fault in it is logged, and ends nothing but itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

logger = logging.getLogger(__name__)

Work = Coroutine[Any, Any, None]
Spawn = Callable[[Work], None]
"""Runs something to its end, beside what goes on."""


def spawner(tasks: asyncio.TaskGroup) -> Spawn:
    """Return what begins work in the group, as long as that lives."""
    return partial(_spawn, tasks)


def _spawn(tasks: asyncio.TaskGroup, work: Work) -> None:
    done = _do(work)
    try:
        tasks.create_task(done)
    except RuntimeError:  # the group is over: the server has stopped
        done.close()
        work.close()


async def _do(work: Work) -> None:
    try:
        await work
    except Exception:  # a fault with one connection must not take the others along
        logger.exception("fault in %r", work)
