"""What a step is given: the values in its slots, after the transforms of the wires that bring them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .encoding import LARGE, weight
from .errors import NodeError, TransformFailed
from .handles import any_handles, handles_in, replaced
from .program import UNSET, Source
from .transform import Shaped

_threads = ThreadPoolExecutor(2, thread_name_prefix="spellwork-shape")
"""Where large values are transformed, for all runs."""


def gather(sources: tuple[tuple[str, Source], ...], values: list[Any]) -> dict[str, Any]:
    """Return the inputs of a step by port; of a list, what did not come is left out.

    Raises TransformFailed where a wire cannot do to a value what it should.
    """
    inputs = {}
    for port, source in sources:
        if isinstance(source, tuple):
            given = [_from(each, values) for each in source]
            inputs[port] = [value for value in given if value is not UNSET]
        elif (value := _from(source, values)) is not UNSET:
            inputs[port] = value
    return inputs


def takes_long(sources: tuple[tuple[str, Source], ...], values: list[Any]) -> bool:
    """Say whether large values, or such as stay in a worker, are to be transformed: that is for ``gather_apart``."""
    left = LARGE
    held = any_handles()
    for _, source in sources:
        for each in source if isinstance(source, tuple) else (source,):
            if not isinstance(each, int):
                if held and next(handles_in(values[each.slot]), None) is not None:
                    return True
                left -= weight(values[each.slot], left)
                if left <= 0:
                    return True
    return False


async def gather_apart(
    sources: tuple[tuple[str, Source], ...], values: list[Any]
) -> dict[str, Any]:
    """Return what ``gather`` does, made in a thread, so that the event loop goes on."""
    values = await _decoded(sources, values.copy())
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, gather, sources, values)


async def _decoded(sources: tuple[tuple[str, Source], ...], values: list[Any]) -> list[Any]:
    """Fetch what wires transform from the workers that it stays in."""
    if not any_handles():
        return values
    for _, source in sources:
        for each in source if isinstance(source, tuple) else (source,):
            if isinstance(each, int):
                continue
            for path, handle in list(handles_in(values[each.slot])):
                try:
                    part = await handle.holder.decoded(handle)
                except NodeError as error:
                    if error.code != "not_transferable":
                        raise
                    reason = f"{error.message}; do this in a code node beside {handle.node!r}"
                    raise TransformFailed(
                        each.edge, each.port, each.transforms[0].op, reason, handle.kind
                    ) from error
                values[each.slot] = replaced(values[each.slot], path, part)
    return values


def _from(source: int | Shaped, values: list[Any]) -> Any:
    return values[source] if isinstance(source, int) else source.of(values, UNSET)
