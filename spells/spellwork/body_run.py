"""``Context.body``: run what a node has inside it, as often as the node asks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .context import Context
from .core import RunState
from .errors import BodyFailed, InputRejected, NodeError, NodeSkipped
from .events import Event
from .failing import failure_of
from .host import RunHost
from .nested import carry_out
from .nested_host import NestedHost
from .ports import SKIP, Port
from .program import MODE_ONE, UNSET
from .result import NodeFailure
from .schemas import shown
from .step import Step
from .subplan import Slot, SubPlan

TOLD = 50
"""Iterations of which every event is told; of further ones only failures, and the owner's progress."""

FAILURES_TOLD = 20
"""Failures that are told of iterations of which nothing else is."""


class BodyRun:
    """The body of one call of a node. ``await`` it any number of times, also at once."""

    def __init__(self, host: RunHost, context: Context, step: Step, taken: Mapping[str, Any]) -> None:
        """Make ready to run ``step.body``; ``taken`` is what it takes from outside."""
        assert step.body is not None
        self._host = host
        self._context = context
        self._step = step
        self._body: SubPlan = step.body
        self._taken = [(slot, taken[name]) for name, slot in self._body.captures if name in taken]
        self._failures_told = 0

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs of the body."""
        return self._body.ports.inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs of the body."""
        return self._body.ports.outputs

    @property
    def fanned(self) -> frozenset[str]:
        """The inputs that get the items of a list one by one."""
        return self._body.fanned

    async def __call__(
        self, inputs: Mapping[str, Any], iteration: int | None = None
    ) -> dict[str, Any]:
        """Run the body once and return its outputs by name; those that brought nothing are left out.

        Nodes are told under ``NODE/``, or ``NODE[iteration]/``.

        Raises:
            BodyFailed: when a node in it failed whose ``error`` is not wired.
            InputRejected: for an input that is missing, not known, or of another type.
        """
        body, host = self._body, self._host
        if host.depth >= host.limits.depth:
            raise NodeError(
                f"bodies nest more than {host.limits.depth} deep", code="too_deep", retryable=False
            )
        values = self._values(inputs)
        quiet = host.sink is None or (iteration is not None and iteration >= TOLD)
        if quiet and body.is_chain and host.may_run_unseen:
            return await self._follow(values, iteration)
        nested = NestedHost(host, body.plan, self._place(iteration), quiet=quiet)
        state = RunState(body.plan)
        state.values[:] = values
        if nested.sink is not None:
            self._tell_given(nested, state)
        try:
            await carry_out(state, nested, nested.sink)
        finally:
            nested.finish(self._step.id)
        failed = [index for index in sorted(state.failures) if index not in state.program.failures]
        if failed:
            raise self._failed(
                [(index, state.failures[index]) for index in failed], iteration, told=not quiet
            )
        return self._leaving(state.values)

    def _place(self, iteration: int | None) -> str:
        return self._step.id if iteration is None else f"{self._step.id}[{iteration}]"

    def _values(self, inputs: Mapping[str, Any]) -> list[Any]:
        values = self._body.plan.program.start_values()
        for slot, value in self._taken:
            values[slot] = value
        known = 0
        for entry in self._body.entries:
            name = entry.port.name
            if name in inputs:
                known += 1
                value = inputs[name]
                if entry.fits is not None and not entry.fits(value):
                    raise _rejected(entry, value)
                values[entry.slot] = value
            elif entry.port.required:
                raise InputRejected(f"the input {name!r} of the body has no value", port=name)
            else:
                values[entry.slot] = entry.port.default
        if known < len(inputs):
            further = inputs.keys() - {entry.port.name for entry in self._body.entries}
            raise InputRejected(f"the body has no input {', '.join(map(repr, sorted(further)))}")
        return values

    def _leaving(self, values: list[Any]) -> dict[str, Any]:
        return {
            name: value for name, slot in self._body.exits if (value := values[slot]) is not UNSET
        }

    def _tell_given(self, nested: NestedHost, state: RunState) -> None:
        """Tell what came in by the input markers: they are nodes that people look at."""
        steps = self._body.plan.steps
        marked = {entry.slot: entry for entry in self._body.entries}
        now = time.time()
        for step in steps[: self._body.given]:
            for port, slot in state.program.outputs[step.index]:
                if slot in marked and "." not in step.id:
                    nested.tell(Event("node.done", now, step.id, "given", {port: state.values[slot]}, 0.0))

    def _failed(
        self, failures: list[tuple[int, NodeFailure]], iteration: int | None, *, told: bool
    ) -> BodyFailed:
        """Return what the first of the failures is raised as; tell of those that nobody was told of."""
        place, steps = self._place(iteration), self._body.plan.steps
        for index, failure in failures if not told else ():
            if self._failures_told < FAILURES_TOLD:
                self._failures_told += 1
                path = f"{place}/{steps[index].id}"
                self._host.report(Event("node.failed", time.time(), path, error=failure.to_json()))
        index, failure = failures[0]
        return BodyFailed(f"{self._host.prefix}{place}/{steps[index].id}", failure)

    # Where nobody looks and each step needs the one before

    async def _follow(self, values: list[Any], iteration: int | None) -> dict[str, Any]:
        """Run the steps one after another, with nothing around them."""
        body = self._body
        program, caller = body.plan.program, self._host.caller
        calls, modes, arguments, results = (
            program.calls,
            program.modes,
            program.arguments,
            program.results,
        )
        if self._host.crew.calls is not None:
            self._host.crew.count(body.calls)
        for index in range(body.given, len(modes)):
            try:
                if modes[index] == MODE_ONE:
                    result = await calls[index](values[arguments[index]])
                else:
                    result = await program.begin(index, modes[index], values)
                if caller.limited:
                    caller.measure({"": result})
            except NodeSkipped:
                break
            except Exception as error:  # the edge: a node's own failure
                raise self._failed([(index, failure_of(error))], iteration, told=False) from error
            if result is SKIP:
                break
            values[results[index]] = result
        return self._leaving(values)


def _rejected(entry: Slot, value: Any) -> InputRejected:
    name = entry.port.name
    text = repr(value)
    given = text if len(text) <= 80 else f"{text[:77]}..."
    return InputRejected(
        f"the input {name!r} of the body takes {shown(entry.port.schema)}, not {given}", port=name
    )


def open_body(host: RunHost, context: Context, step: Step, taken: Mapping[str, Any]) -> BodyRun:
    """Return what runs the body of a step; see ``RunHost.open_body``."""
    return BodyRun(host, context, step, taken)
