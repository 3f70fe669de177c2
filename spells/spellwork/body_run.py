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
from .handles import any_handles, handles_in, replaced
from .host import RunHost
from .nested import carry_out
from .nested_host import NestedHost
from .past import Ended
from .ports import SKIP, Port
from .program import MODE_ONE, UNSET
from .recall import Recall
from .result import NodeFailure
from .step import Step
from .subplan import SubPlan

TOLD = 50
"""Iterations of which every event is told; of further ones only failures, and the owner's progress."""

FAILURES_TOLD = 20
"""Failures that are told of iterations of which nothing else is."""


SLOW = 0.002
"""Seconds after which an iteration is taken to have waited for something: those after it run what is ready at once."""


class BodyRun:
    """The body of one call of a node. ``await`` it any number of times, also at once."""

    def __init__(
        self, host: RunHost, context: Context, step: Step, taken: Mapping[str, Any]
    ) -> None:
        """Make ready to run ``step.body``; ``taken`` is what it takes from outside."""
        assert step.body is not None
        self._host = host
        self._context = context
        self._step = step
        self._body: SubPlan = step.body
        self._taken = [(slot, taken[name]) for name, slot in self._body.captures if name in taken]
        self._behind = host.behind if context.attempt == 1 else None
        """What had ended inside; another attempt begins anew."""
        self._failures_told = 0
        self._waits = False

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
        host = self._host
        if host.depth >= host.limits.depth:
            raise NodeError(
                f"bodies nest more than {host.limits.depth} deep", code="too_deep", retryable=False
            )
        if self._behind is not None and iteration is not None:
            whole = self._behind.ended.get(self._place(iteration))
            if whole is not None:
                return _again(whole)
        host.crew.turning += 1
        try:
            values = await self._brought(self._values(inputs))
            if self._is_told(iteration):
                return await self._nest(values, iteration, quiet=False)
            if host.barrier is None or iteration is None or host.sink is None:
                return await self._unseen(values, iteration)
            return await self._told_whole(values, iteration)
        finally:
            host.crew.turning -= 1
            if host.crew.waits:  # another run of the body may be all that is left, and only wait
                host.crew.look()

    def _is_told(self, iteration: int | None) -> bool:
        """Say whether the nodes of this run of the body are told of."""
        body, host = self._body, self._host
        if host.sink is None:
            return False
        is_late = iteration is not None and iteration >= TOLD
        if is_late and (host.barrier is None or not body.is_committed):
            return False
        return host.allowance.take(body.calls)

    async def _unseen(self, values: list[Any], iteration: int | None) -> dict[str, Any]:
        """Run the body where nothing of it is told but failures."""
        if self._host.may_run_unseen and self._may_follow(iteration):
            return await self._follow(values, iteration)
        return await self._nest(values, iteration, quiet=True)

    async def _told_whole(self, values: list[Any], iteration: int) -> dict[str, Any]:
        """Run the body as ``_unseen`` does, and tell of the iteration as of one node, for who resumes the run."""
        host, place = self._host, self._place(iteration)
        started = time.time()
        try:
            outputs = await self._unseen(values, iteration)
        except NodeError as error:
            if host.allowance.take(1) and not host.ended:
                failure = failure_of(error).to_json()
                ended = time.time()
                host.report(
                    Event("node.failed", ended, place, error=failure, duration=ended - started)
                )
            raise
        if host.allowance.take(1) and not host.ended:
            ended = time.time()
            host.report(Event("node.done", ended, place, "new", dict(outputs), ended - started))
        return outputs

    async def _nest(self, values: list[Any], iteration: int | None, quiet: bool) -> dict[str, Any]:
        """Run the body as a run of its own."""
        body, host = self._body, self._host
        host.allowance.open(body.room)
        try:
            return await self._nested(values, iteration, quiet)
        finally:
            host.allowance.close(body.room)

    async def _nested(
        self, values: list[Any], iteration: int | None, quiet: bool
    ) -> dict[str, Any]:
        body, host = self._body, self._host
        nested = NestedHost(host, body.plan, self._place(iteration), quiet=quiet)
        if self._behind is None:
            nested.behind = None
        state = RunState(body.plan)
        state.values[:] = values
        if any_handles():
            state.call_in_full(range(body.given, len(body.plan.steps)))
        if len(self._taken) < len(body.captures):
            state.warn_of_lacking(range(body.given))
        if nested.sink is not None:
            self._tell_given(nested, state)
        try:
            await carry_out(
                state,
                nested,
                nested.sink,
                recall=self._recall(state),
                owner=self._context.path,
                given=body.given,
            )
        finally:
            nested.finish(self._step.id)
        failed = [index for index in sorted(state.failures) if index not in state.program.failures]
        if failed:
            raise self._failed(
                [(index, state.failures[index]) for index in failed], iteration, told=not quiet
            )
        return self._leaving(state.values)

    def _recall(self, state: RunState) -> Recall | None:
        """Return what looks the body's nodes up by content, where that may spare more than it costs."""
        host = self._host
        if host.cache is None or not self._body.is_dear:
            return None
        recall = Recall(state, host.cache, None, host.user, incremental=False)
        recall.encodings = host.caller.encodings
        return recall

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
                values[entry.slot] = value if entry.take is None else entry.take(value)
            elif entry.port.required:
                raise InputRejected(f"the input {name!r} of the body has no value", port=name)
            else:
                values[entry.slot] = entry.port.default
        if known < len(inputs):
            further = inputs.keys() - {entry.port.name for entry in self._body.entries}
            raise InputRejected(f"the body has no input {', '.join(map(repr, sorted(further)))}")
        return values

    async def _brought(self, values: list[Any]) -> list[Any]:
        """Decode what stays in workers, where no node in the body is in one."""
        if any_handles() and not any(map(_takes_handles, self._body.plan.steps)):
            slots = [entry.slot for entry in self._body.entries] + [s for s, _ in self._taken]
            for slot in slots:
                for path, handle in list(handles_in(values[slot])):
                    part = await handle.holder.decoded(handle)
                    values[slot] = replaced(values[slot], path, part)
        return values

    def _leaving(self, values: list[Any]) -> dict[str, Any]:
        return {
            name: value for name, slot in self._body.exits if (value := values[slot]) is not UNSET
        }

    def _tell_given(self, nested: NestedHost, state: RunState) -> None:
        """Tell what came in by the input markers: they are nodes that people look at."""
        steps = self._body.plan.steps
        marked = {entry.slot: entry for entry in self._body.entries}
        told = nested.behind.ended.keys() if nested.behind is not None else ()
        now = time.time()
        for step in steps[: self._body.given]:
            for port, slot in state.program.outputs[step.index]:
                if slot in marked and "." not in step.id and step.id not in told:
                    nested.tell(
                        Event("node.done", now, step.id, "given", {port: state.values[slot]}, 0.0)
                    )

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
        return BodyFailed(f"{self._host.prefix}{place}/{steps[index].id}", steps[index], failure)

    # Where nobody looks

    def _may_follow(self, iteration: int | None) -> bool:
        """Say whether the steps may simply follow each other: each needs the one before, or none has ever waited.

        Not where some of them had ended before.
        """
        body, behind = self._body, self._behind
        if behind is not None and self._place(iteration) in behind.inside:
            return False
        return body.is_chain or (body.is_plain and iteration is not None and not self._waits)

    async def _follow(self, values: list[Any], iteration: int | None) -> dict[str, Any]:
        """Run the steps one after another, with nothing around them: as much as a node costs, for each."""
        started = time.perf_counter()
        failures: list[tuple[int, NodeFailure]] = []
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
        lost = False
        for index in range(body.given, len(modes)):
            if lost and any(values[slot] is UNSET for slot in program.needs[index]):
                continue
            try:
                if modes[index] == MODE_ONE:
                    result = await calls[index](values[arguments[index]])
                else:
                    result = await program.begin(index, modes[index], values)
                if caller.measures:
                    await caller.measure({"": result})
            except NodeSkipped:
                lost = True
            except Exception as error:  # noqa: BLE001 - the edge: a node's own failure
                lost = True
                failures.append((index, failure_of(error)))
            else:
                if result is SKIP:
                    lost = True
                else:
                    values[results[index]] = result
        self._waits = self._waits or time.perf_counter() - started > SLOW
        if failures:
            raise self._failed(failures, iteration, told=False)
        return self._leaving(values)


def _again(whole: Ended) -> dict[str, Any]:
    """Return the outputs of an iteration as it ended before, or raise its failure."""
    if whole.failure is None:
        return dict(whole.outputs)
    failure = whole.failure
    error = NodeError(
        failure.message,
        code=failure.code,
        port=failure.port,
        details=dict(failure.details),
        retryable=failure.retryable,
    )
    error.traceback = failure.traceback  # type: ignore[attr-defined]
    raise error


def _takes_handles(step: Step) -> bool:
    return step.type.isolation == "worker" or step.body is not None


def open_body(host: RunHost, context: Context, step: Step, taken: Mapping[str, Any]) -> BodyRun:
    """Return what runs the body of a step; see ``RunHost.open_body``."""
    return BodyRun(host, context, step, taken)
