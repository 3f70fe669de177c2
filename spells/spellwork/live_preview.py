"""The preview pass: what cheap nodes would give for a draft, beside what the session holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .events import Event
from .gathering import gather, gather_apart, takes_long
from .live_state import LiveState
from .ports import SKIP
from .program import UNSET
from .rejection import given_to

if TYPE_CHECKING:
    from .live import LiveSession


class Preview:
    """Runs one preview pass at a time; a new one ends the one before."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._turn = 0

    def end(self) -> None:
        """End the pass under way: its node goes on to its end, and is told no more."""
        self._turn += 1

    async def run(self, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the outputs of the preview nodes right downstream of ``inputs``."""
        self._turn += 1
        turn, session = self._turn, self._session
        live = session._live  # noqa: SLF001 - its other half
        state = live.state
        drafts = {}
        for key, value in inputs.items():
            index, slot, port = session._given.place(state, key)  # noqa: SLF001 - its other half
            drafts[slot] = (index, given_to(state.steps[index], port, key, value))
        values = state.values.copy()
        for slot, (_, value) in drafts.items():
            values[slot] = value
        found: dict[str, dict[str, Any]] = {}
        for index in _downstream(state, {index for index, _ in drafts.values()}):
            outputs = await self._call(state, index, values, drafts)
            if turn != self._turn:
                return found
            for port, slot in state.program.outputs[index]:
                value = outputs.get(port, SKIP)
                values[slot] = UNSET if value is SKIP else value
            if outputs:
                id = state.steps[index].id
                found[id] = {port: each for port, each in outputs.items() if each is not SKIP}
                session._say(  # noqa: SLF001 - its other half
                    Event("node.preview", time.time(), id, outputs=found[id])
                )
        return found

    async def _call(
        self,
        state: LiveState,
        index: int,
        values: list[Any],
        drafts: Mapping[int, tuple[int, Any]],
    ) -> dict[str, Any]:
        """Return what a node gives for the draft, or nothing where it lacks an input or fails."""
        step = state.steps[index]
        if any(values[slot] is UNSET for slot in state.program.musts[index]):
            return {}
        for slot in state.copied.get(index, ()):
            given = drafts[slot][1] if slot in drafts else state.pristine[slot]
            values[slot] = deepcopy(given)
        try:
            caller = self._session._host.caller  # noqa: SLF001 - its other half
            sources = state.program.gathers[index]
            apart = takes_long(sources, values)
            given = await gather_apart(sources, values) if apart else gather(sources, values)
            return await caller.call(step, given)
        except Exception:  # noqa: BLE001 - a draft is often wrong; what is typed in the end says why
            return {}


def _downstream(state: LiveState, starts: set[int]) -> list[int]:
    """Return the preview nodes that a draft reaches through preview nodes alone, in graph order."""
    found = {index for index in starts if _is_cheap(state, index)}
    waiting = list(found)
    for index in waiting:  # grows as it goes
        for successor in state.program.successors[index]:
            if successor not in found and _is_cheap(state, successor):
                found.add(successor)
                waiting.append(successor)
    return sorted(found)


def _is_cheap(state: LiveState, index: int) -> bool:
    step = state.steps[index]
    return step.type.preview and step.stand is None and step.fault is None
