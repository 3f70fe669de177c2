"""Where a node call is carried out when not in place."""

from __future__ import annotations

from typing import Any, Protocol

from .context import Context
from .step import Step


class Executor(Protocol):
    """Carries out the calls of one isolation ("thread", "worker"), or those that are placed ("queue").

    Of "queue" are the steps with ``step.node.settings.queue``, whatever their
    type's isolation: their inputs are plain JSON, and what they give becomes it.

    Returns the outputs by port. Chunks of a stream go out by ``context.emit``
    as they come; the returned outputs hold the whole (``streams.accumulate``).
    Raises ``NodeError`` (or anything) when the call fails, and ends the call
    when it is cancelled.
    """

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Carry out one call of a step."""
        ...
