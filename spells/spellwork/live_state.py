"""The pure core of a live session: what a change reaches, and where it ends.

One pass along the wires, from what changed, finds the steps to look at and how
many of them each waits for (``pending``; -1 is a step at rest). A step is
looked at when none is left to wait for, and runs when something ``touched`` it:
an input that came out different, a trigger, a change to itself. So it runs once
however many paths lead to it, and never on a mixture of old and new. A change
that comes while others are on their way joins them: the pass starts at what is
new, and stops at what is reached already.

Rejected: comparing hashes of all inputs of each step that is reached. To
compare an output with what it was is done once for each that came anew, and
costs nothing where it is a number or short text.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from copy import deepcopy
from typing import Any

from .core import RunState
from .handles import gone_of
from .memory import mark_of
from .plan import Plan
from .program import (
    MODE_DECIDE,
    MODE_FULL,
    MODE_HELD,
    UNSET,
    instant,
    slot_of,
    triggers_of,
)
from .recall import Recall
from .result import NodeFailure
from .step import Step

AT_REST = -1
"""In ``pending``: the step is as the last changes left it."""

KNOWN = 8
"""Steps for which is kept what a change of them reaches."""

MODE_FRESH = MODE_HELD + 2
"""A plain step that gets copies of values typed in."""

_SCALARS = frozenset((int, str, float, bool, type(None)))

Cause = int | str
"""Why a step runs: the slot of an input that came out different, or words."""


class LiveState(RunState):
    """Where a live session stands. Outputs stay until a step ends anew."""

    __slots__ = (
        "_known",
        "_quiet_waits",
        "apart",
        "at_rest",
        "calls",
        "copied",
        "marks",
        "own_modes",
        "pristine",
        "quiet",
        "reached",
        "steps",
        "timed",
        "touched",
    )

    def __init__(self, plan: Plan, *, plain: bool) -> None:
        """Make the state of a session that begins. ``plain``: steps may be called with no more than an ``await``."""
        super().__init__(plan)
        self.ready.clear()
        size = len(plan.steps)
        self.steps: list[Step] = list(plan.steps)
        self.pending = [AT_REST] * size
        self.touched: list[Cause | None] = [None] * size
        """Why a step that is due is to run, as far as is known; of a step at rest why it last ran, None where it did not."""
        self.marks: dict[int, Any] = {}
        """By slot, what a value is known by that may change in place."""
        self.calls: dict[int, Any] = {}
        """The calls under way, by step."""
        self.reached: list[int] = []
        """What became due with the last changes."""
        self.pristine = {slot: self.program.template[slot] for slot in self.program.mutable}
        self.copied = self._copied()
        self.quiet, self.apart = _apart(plan)
        self._quiet_waits: set[tuple[int, int]] = set()
        self.at_rest = False
        """Whether nothing was due when ``reach`` was last asked; whoever asks says so."""
        self._known: dict[int, tuple[list[int], list[int]]] = {}
        self.timed = [step.index for step in plan.steps if step.ttl is not None]
        self.own_modes = self._modes(plain)
        self.modes = self.own_modes.copy()

    def _copied(self) -> dict[int, list[int]]:
        """Return, by step, the slots of constants that each of its calls gets a copy of."""
        copied: dict[int, list[int]] = {}
        if self.pristine:
            for index, row in enumerate(self.program.gathers):
                for _, source in row:
                    if isinstance(source, int) and source in self.pristine:
                        copied.setdefault(index, []).append(source)
        return copied

    def _modes(self, plain: bool) -> list[int]:
        """Return the mode of each step when its inputs are there: below MODE_FULL only what ends at once."""
        program = self.program
        modes = []
        for index, mode in enumerate(program.modes):
            if mode >= MODE_FULL:
                modes.append(mode)
            elif (
                not plain
                or index in self.apart
                or self.steps[index].node.settings.debounce
                or not self.program.outputs[index]
                or not instant(program.calls[index])
            ):
                modes.append(MODE_FULL)
            else:
                modes.append(MODE_FRESH if index in self.copied else mode)
        return modes

    # What a change reaches

    def reach(  # noqa: PLR0912 - one pass: a call per step would cost as much as the step
        self, roots: Iterable[int], carried: Iterable[int] = ()
    ) -> list[int]:
        """Take it that ``roots`` (touched already) changed, and that ``carried`` are under way: find what waits for them.

        Returns the steps that were at rest, and are due now.
        Steps under way that wait anew are left in ``calls``; see ``overtaken``.
        """
        pending, successors, ready = self.pending, self.program.successors, self.ready
        touched = self.touched
        roots = list(roots)
        if len(roots) == 1 and self.at_rest and roots[0] in self._known:
            new, counts = self._known[roots[0]]
            cause = touched[roots[0]]
            for index, count in zip(new, counts, strict=True):
                pending[index] = count
                touched[index] = None
            touched[roots[0]] = cause
            ready.append(roots[0])
            return new
        new = []
        for index in (*roots, *carried):
            if pending[index] < 0:
                pending[index] = 0
                new.append(index)
        if self.apart:
            self._reach_apart(new)
        else:
            for index in new:  # grows as it goes
                for successor in successors[index]:
                    left = pending[successor]
                    if left < 0:
                        pending[successor] = 1
                        touched[successor] = None
                        new.append(successor)
                    else:
                        pending[successor] = left + 1
        for index in roots:
            if not pending[index]:
                ready.append(index)
        if len(roots) == 1 and self.at_rest and not carried and not self.apart:
            self._know(roots[0], new)
        return new

    def _know(self, root: int, new: list[int]) -> None:
        """Keep what a change of one step reaches: a slider changes the same one again and again."""
        if len(self._known) >= KNOWN:
            del self._known[next(iter(self._known))]
        self._known[root] = new, [self.pending[index] for index in new]

    def _reach_apart(self, new: list[int]) -> None:
        """Do what ``reach`` does where some wires start nothing: find first, count then."""
        pending, successors, quiet = self.pending, self.program.successors, self.quiet
        for index in new:  # grows as it goes
            for successor in successors[index]:
                if pending[successor] < 0 and index not in quiet.get(successor, ()):
                    pending[successor] = 0
                    self.touched[successor] = None
                    new.append(successor)
        for index in new:
            for successor in successors[index]:
                if index not in quiet.get(successor, ()):
                    pending[successor] += 1
                elif pending[successor] >= 0 and successor not in self.calls:
                    pending[successor] += 1
                    self._quiet_waits.add((index, successor))
        fresh = set(new)
        for index in new:
            for source in quiet.get(index, ()):
                if pending[source] >= 0 and source not in fresh:
                    pending[index] += 1
                    self._quiet_waits.add((source, index))

    def overtaken(self, roots: Iterable[int]) -> list[int]:
        """Return the steps under way that a change reached, and make them due again: their calls are of no use.

        Steps that read the stream of one of them wait for it again.
        """
        found: list[int] = []
        rooted = set(roots)
        while True:
            again = [
                index
                for index in self.calls
                if index not in found and (self.pending[index] > 0 or index in rooted)
            ]
            if not again:
                return found
            found.extend(again)
            for index in again:
                for slot in self.streams.get(index, ()):
                    self.values[slot] = UNSET
                for reader in self._end_streams(index):
                    self.pending[reader] += 1

    def expired(self, recall: Recall | None) -> list[int]:
        """Return the steps whose outputs are too old, touched."""
        found = [index for index in self.timed if recall is not None and recall.expired(index)]
        for index in found:
            self.touched[index] = "expired"
        return found

    def lost(self) -> list[int]:
        """Return the steps whose outputs stayed in a worker and are there no more, touched."""
        found: list[int] = []
        for index, step in enumerate(self.steps):
            if step.type.isolation != "worker" and step.body is None:
                continue
            why = gone_of({port: self.values[slot] for port, slot in self.program.outputs[index]})
            if why is not None:
                found.append(index)
                self.touched[index] = why
        return found

    def rest(self) -> None:
        """Let nothing be due any more: what was is looked at when something touches it."""
        self.pending[:] = [AT_REST] * len(self.pending)
        self.ready.clear()
        self._quiet_waits.clear()
        self.drop_streams()

    # How steps end

    def finish(self, index: int, outputs: dict[str, Any]) -> None:
        """Take the outputs of a step, and start what they touch."""
        if self.begun and index not in self.streams:
            self.forget_streams(index)
        self._settle(index)
        before = self._before(index)
        if self.modes[index] == MODE_FULL:
            self.modes[index] = self.own_modes[index]
        super().finish(index, outputs)
        self._pass_on(index, before, ran=True)

    def fail(self, index: int, failure: NodeFailure) -> None:
        """Take it that a step failed: what needs it is looked at again, where it had not failed before."""
        before = self._give_nothing(index)
        super().fail(index, failure)
        self._pass_on(index, before, ran=True)

    def skip(self, index: int, reason: str) -> None:
        """Take it that a step is skipped."""
        before = self._give_nothing(index)
        super().skip(index, reason)
        self._pass_on(index, before, ran=True)

    def keep_as(
        self,
        index: int,
        outputs: dict[str, Any],
        failure: NodeFailure | None,
        skipped: str | None,
    ) -> None:
        """Take a step as it once ended."""
        if failure is not None:
            self.fail(index, failure)
        elif skipped is not None:
            self.skip(index, skipped)
        else:
            self.finish(index, outputs)

    def keep(self, index: int) -> None:
        """Take it that nothing touched a step: it stays as it is, and so does what waits for it alone."""
        self.pending[index] = AT_REST
        self._pass_on(index, (), ran=False)

    def _warn_successors(self, index: int) -> None:
        for successor in self.program.successors[index]:
            self.modes[successor] = MODE_DECIDE

    def _readers(self, index: int, port: str) -> tuple[int, ...]:
        readers = super()._readers(index, port)
        readers = tuple(each for each in readers if index not in self.quiet.get(each, ()))
        for reader in readers:
            self.touched[reader] = dict(self.program.outputs[index])[port]
        return readers

    def _settle(self, index: int) -> None:
        self.pending[index] = AT_REST
        self.failures.pop(index, None)
        self.skipped.pop(index, None)

    def _give_nothing(self, index: int) -> list[tuple[int, Any]]:
        """Clear the outputs of a step that failed or was skipped; return what they were.

        It is not called in a burst again, which looks at no failures.
        """
        self._settle(index)
        before = self._before(index)
        self.values[self.program.results[index]] = UNSET
        for _, slot in self.program.outputs[index]:
            self.values[slot] = UNSET
        if self.modes[index] != MODE_DECIDE:
            self.modes[index] = MODE_FULL
        return before

    def _before(self, index: int) -> list[tuple[int, Any]]:
        values, streams = self.values, self.streams.get(index, {})
        return [
            (slot, UNSET if slot in streams else values[slot])
            for _, slot in self.program.outputs[index]
        ]

    def release(self, index: int) -> None:
        """Do nothing yet: ``_pass_on`` releases, by what changed."""

    def _pass_on(self, index: int, before: Iterable[tuple[int, Any]], *, ran: bool) -> None:
        values = self.values
        changed = {slot for slot, old in before if self.differs(slot, old, values[slot])}
        gone = self._end_streams(index) if self.streams else ()
        program, pending = self.program, self.pending
        for successor in program.successors[index]:
            if successor in gone:
                continue
            if index in self.quiet.get(successor, ()):
                if (index, successor) not in self._quiet_waits:
                    continue
                self._quiet_waits.discard((index, successor))
            elif (cause := self._touch(index, successor, changed, ran)) is not None:
                self.touched[successor] = cause
            pending[successor] -= 1
            if not pending[successor]:
                self.ready.append(successor)

    def _touch(self, index: int, successor: int, changed: set[int], ran: bool) -> Cause | None:
        """Return why a step is to run after one that it needs, or None."""
        step = self.steps[successor]
        if index in self.apart and (triggers := wired_triggers(step)):
            return self._trigger(index, step, triggers) if ran else None
        for slot in self.program.needs[successor] if changed else ():
            if slot in changed and not self._is_quiet(step, slot):
                return slot
        return None

    def _trigger(self, index: int, step: Step, triggers: AbstractSet[str]) -> str | None:
        outputs = dict(self.program.outputs[index])
        for binding in step.bindings:
            for wire in binding.wires if binding.port in triggers else ():
                if wire.source == index and self.values[outputs[wire.output]] is not UNSET:
                    return f"triggered ({binding.port})"
        return None

    def _is_quiet(self, step: Step, slot: int) -> bool:
        """Say whether a slot reaches a step by quiet inputs alone."""
        quiet = step.node.settings.quiet
        return bool(quiet) and all(
            port in quiet
            for port, source in self.program.gathers[step.index]
            if slot_of(source, slot)
        )

    def differs(self, slot: int, old: Any, new: Any) -> bool:
        """Say whether what came is another value than what was there, and keep what it is known by."""
        kind = type(new)
        if kind in _SCALARS:
            self.marks.pop(slot, None)
            return not (new is old or (type(old) is kind and new == old))
        if new is UNSET:
            self.marks.pop(slot, None)
            return old is not UNSET
        known = self.marks.get(slot)
        mark = self.marks[slot] = mark_of(new)
        return bool(known != mark)

    # What is known already

    def adopt(
        self,
        index: int,
        outputs: dict[str, Any],
        failure: NodeFailure | None,
        skipped: str | None,
    ) -> None:
        """Take it that a step once ended so; nothing is touched by it."""
        if failure is not None:
            RunState.fail(self, index, failure)
        elif skipped is not None:
            RunState.skip(self, index, skipped)
        else:
            RunState.finish(self, index, outputs)

    def forget_streams(self, index: int) -> None:
        """Take it that nobody takes up the streams any more that a step made when it last ran."""
        if self.begun:
            for _, slot in self.program.outputs[index]:
                self.begun.pop(slot, None)

    def warn(self, index: int) -> None:
        """Take it that a step lacks outputs: what needs it is to be decided on."""
        self._warn_successors(index)

    def never_ran(self, index: int) -> bool:
        """Say whether a step has never ended."""
        return not (index in self.failures or index in self.skipped or self.is_done(index))

    def copy_for(self, index: int, slot: int, copied: bool) -> None:
        """Give each call of a step a copy of a constant from now on, or none."""
        row = self.copied.get(index, [])
        if copied == (slot in row):
            return
        row = [*row, slot] if copied else [each for each in row if each != slot]
        if row:
            self.copied[index] = row
        else:
            del self.copied[index]
        mode = self.program.modes[index]
        if self.own_modes[index] in (mode, MODE_FRESH) and mode < MODE_FULL:
            self.own_modes[index] = MODE_FRESH if row else mode
            if self.modes[index] != MODE_DECIDE:
                self.modes[index] = self.own_modes[index]

    # Looking at steps

    def decide(self, index: int) -> str | None:
        """Return why a ready step is to be skipped, or None when it can run."""
        reason = super().decide(index)
        if reason is None:
            troubled = index in self.failures or index in self.skipped
            self.modes[index] = MODE_FULL if troubled else self.own_modes[index]
        else:
            self.modes[index] = MODE_DECIDE
        return reason

    def refresh(self, index: int) -> None:
        """Give a step that is about to run copies of the values typed into it."""
        for slot in self.copied.get(index, ()):
            value = self.pristine[slot]
            flat = type(value) is list and _SCALARS.issuperset(map(type, value))
            self.values[slot] = value.copy() if flat else deepcopy(value)

    def why(self, index: int) -> str:
        """Say why a step last ran."""
        cause = self.touched[index]
        why = "" if cause is None else self.words(index, cause)
        return self.steps[index].first_why if why == "new" else why

    def words(self, index: int, cause: Cause) -> str:
        """Say what a cause is, in the words of events."""
        if isinstance(cause, str):
            return cause
        for port, source in self.program.gathers[index]:
            if slot_of(source, cause):
                return f"input changed ({port})"
        return "input changed"


def _apart(plan: Plan) -> tuple[dict[int, set[int]], set[int]]:
    """Return, by step, the sources of which nothing starts it, and all sources of steps that have such inputs."""
    quiet: dict[int, set[int]] = {}
    apart: set[int] = set()
    for step in plan.steps:
        loud = loud_ports(step)
        if loud is None:
            continue
        sources = {wire.source for binding in step.bindings for wire in binding.wires}
        starts = {
            wire.source
            for binding in step.bindings
            if binding.port in loud
            for wire in binding.wires
        }
        apart |= sources
        quiet[step.index] = sources - starts
    return quiet, apart


def loud_ports(step: Step) -> AbstractSet[str] | None:
    """Return the inputs whose change starts a step, or None for all."""
    if triggers := wired_triggers(step):
        return triggers
    quiet = step.node.settings.quiet
    return {binding.port for binding in step.bindings} - set(quiet) if quiet else None


def wired_triggers(step: Step) -> AbstractSet[str]:
    """Return the trigger ports of a step that have a wire: where it has any, nothing else starts it."""
    triggers = triggers_of(step)
    return (
        {binding.port for binding in step.bindings if binding.wires} & triggers
        if triggers
        else triggers
    )
