"""Calls of ``spellwork.hosting`` in a worker: what its packs bring, and what they say of a node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from spellwork import (
    Context,
    DetachedHost,
    Executor,
    Library,
    Node,
    NodeError,
    NodeType,
    Pack,
    Port,
)
from spellwork.choosing import MOST
from spellwork.compiler import compile_call
from spellwork.handles import Handle
from spellwork.stubs import not_here

logger = logging.getLogger(__name__)

SECONDS = 60.0
"""How long a worker may take to import packs, its start included."""

CHOOSING_SECONDS = 10.0
"""How long it may take to list choices."""


def _asked(name: str, *inputs: str) -> NodeType:
    return NodeType(
        id=f"packs.{name}",
        call=not_here,
        inputs=tuple(Port(each) for each in inputs),
        outputs=(Port("result"),),
        isolation="worker",
        cache="none",
        target=f"spellwork.hosting:{name}",
    )


_LIBRARY = Library(
    [
        Pack(
            "packs",
            "1",
            "Packs",
            (
                _asked("describe", "distributions"),
                _asked("choices", "type", "version", "node", "port"),
                _asked("ask", "pack", "name", "what", "config", "given"),
            ),
        )
    ]
)


class PackCalls:
    """Asks the worker of a canvas. What it describes is foreign, and for the caller to check."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def describe(self, worker: str, distributions: Sequence[str]) -> Any:
        """Return ``hosting.describe`` of these distributions; raises NodeError where the worker fails or takes too long.

        A worker is called by its id as it is by that of a canvas on it.
        """
        return await self._call(worker, SECONDS, "describe", distributions=list(distributions))

    async def choices(self, canvas: str, declared: NodeType, node: Node, port: Port) -> list[Any]:
        """Return the values that an input may have; none where any may do, or the worker does not answer."""
        try:
            found = await self._call(
                canvas,
                CHOOSING_SECONDS,
                "choices",
                type=declared.id,
                version=declared.version,
                node=node.model_dump(mode="json", exclude_none=True),
                port=port.name,
            )
        except NodeError as error:
            logger.info("no choices of %s: %s", declared.id, error.message)
            return []
        return found[:MOST] if isinstance(found, list) else []

    async def ask(
        self, worker: str, named: str, what: str, config: dict[str, Any], given: Any = None
    ) -> Any:
        """Return ``hosting.ask`` of an object, by PACK.OBJECT; raises NodeError."""
        pack, _, name = named.partition(".")
        told = {"pack": pack, "name": name, "what": what, "config": config, "given": given}
        return await self._call(worker, SECONDS, "ask", **told)

    async def _call(self, canvas: str, seconds: float, asked: str, **inputs: Any) -> Any:
        step = compile_call(_LIBRARY, "packs", f"packs.{asked}", inputs, None, "")
        context = Context("packs", step.node, DetachedHost(canvas=canvas))
        try:
            async with asyncio.timeout(seconds):
                outputs = await self._executor.call(step, inputs, context)
                found = outputs.get("result")
                return await found.holder.decoded(found) if isinstance(found, Handle) else found
        except TimeoutError as error:
            raise NodeError(
                f"the worker did not answer within {seconds:g} s", code="timeout"
            ) from error
