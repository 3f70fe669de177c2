"""The run as its nodes see it: where their reports go, their secrets, their calls of other nodes."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .asking import Asker, Question
from .barriers import Barrier
from .cache import OutputCache
from .calls import Caller
from .compiler import compile_call
from .context import Body, Context, InnerCall, RunContext
from .crew import Crew
from .encoding import Encodings
from .errors import NodeError, SecretMissing
from .events import Event, Sink, is_watcher, started_and
from .executor import Executor
from .gathering import gather
from .limiting import Limiters
from .limits import Limits
from .past import Behind
from .persons import ask_people
from .plan import Plan
from .ports import SKIP
from .program import assemble
from .requirements import packages_in
from .step import Step

OpenBody = Callable[["RunHost", Context, Step, Mapping[str, Any]], Body]


TOLD_INSIDE = 20_000
"""Calls of nodes inside other nodes that one run tells of."""


KEPT_INSIDE = 200_000
"""The same in a run with a barrier: what is told of is what need not be called again."""


OPEN_INSIDE = 4_000_000
"""Values of nodes inside other nodes that one run may have room for at once."""


class Allowance:
    """What nodes inside nodes may still take, in a run and all that is nested in it: events, and room for values."""

    __slots__ = ("left", "room")

    def __init__(self, left: int = TOLD_INSIDE, room: int = OPEN_INSIDE) -> None:
        self.left = left
        self.room = room

    def open(self, values: int) -> None:
        """Make room for the values of a nested run; raises NodeError where there is none left."""
        if values > self.room:
            raise NodeError(
                "too many nested runs go on at once: let fewer nodes run bodies beside each other",
                code="too_many_nested",
                retryable=False,
            )
        self.room -= values

    def close(self, values: int) -> None:
        """Give the room back."""
        self.room += values

    def take(self, calls: int) -> bool:
        """Say whether that many calls may be told, and if so, that they are."""
        if calls > self.left:
            return False
        self.left -= calls
        return True


class RunHost:
    """The ``context.Host`` of one run. Reports from other threads are handed over to the loop, in order."""

    barrier: Barrier | None = None
    """Makes sure of what was told; see ``barriers``. Set by ``Execution``, as are the next three."""
    asker: Asker | None = None
    """Asks people."""
    behind: Behind | None = None
    """What ended in this run before, where anything did."""
    break_off: Callable[[BaseException], None]
    """Ends the whole run with an error that is no node's."""
    suspended = False
    """Whether the run ends here, to go on elsewhere."""

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        context: RunContext,
        sink: Sink | None,
        limits: Limits,
        executor: Callable[[str], Executor],
        limiters: Limiters | None = None,
        encodings: Encodings | None = None,
    ) -> None:
        self.run_id = run_id
        self.canvas = context.canvas
        self.user = context.user
        self.begun = context.begun
        self.cancelled = False
        self.ended = False
        self.fleeting: set[str] = set()
        """Nodes that called one whose outputs may not be kept: nor may theirs."""
        self.crew = Crew(limits.concurrency, limits.calls)
        """What the runs nested in this one share with it."""
        self.begin_stream: Callable[[int, str, Any], None] = no_readers
        """Says that an output of the step of that index comes as a stream, from now on; set by ``Loops``."""
        self.readers_of: Callable[[int, str], int] = _nobody
        """Says how many steps would then start; set by ``Loops``."""
        self.limiters = limiters or Limiters()
        self.caller = Caller(
            self,
            executor,
            limits.output_bytes,
            self.limiters,
            self._count,
            encodings or Encodings(),
        )
        self.prefix = ""
        """The path of the node that this run is inside of, with ``/`` at its end."""
        self.depth = 0
        """How many nodes this run is inside of."""
        self.open_body: OpenBody | None = None
        """Makes ``Context.body``; set by ``Execution``."""
        self.cache: OutputCache | None = None
        """Where the outputs of nodes inside nodes are looked up and kept, too; set with ``open_body``."""
        self._plan = plan
        self._secrets = context.secrets
        self.sink = sink
        self.watched = sink is not None
        self.watcher = sink if is_watcher(sink) else None
        self.limits = limits
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: deque[Event] = deque()
        self._scheduled = False
        self._tmp: list[Path] = []
        self.allowance = Allowance()

    def is_here(self, thread: int) -> bool:
        """Say whether a thread is that of the run."""
        return thread == self._thread

    def report_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Hand chunks to the watcher, on the loop's thread."""
        if self.watcher is not None and not self.ended:
            self.watcher.take_chunks(node, port, chunks)

    def report_ran(self, event: Event) -> None:
        """Hand the ``node.done`` of a node that waited for nothing to the watcher, or that and its ``node.started`` to the sink."""
        if self.watcher is not None:
            self.watcher.take_ran(event)
        elif self.sink is not None:
            for told in started_and(event):
                self.sink(told)

    def _count(self) -> None:
        self.crew.count()  # a nested run has its parent's crew, given to it later

    def report(self, event: Event) -> None:
        """Hand an event to the sink, at once on the loop's thread, else by way of the loop."""
        if self.sink is None or self.ended:
            return
        if threading.get_ident() == self._thread:
            self.sink(event)
            return
        self._waiting.append(event)
        if not self._scheduled:
            self._scheduled = True
            try:
                self._loop.call_soon_threadsafe(self._hand_over)
            except RuntimeError:  # the loop is closed: a thread outlived its run
                self.ended = True

    def _hand_over(self) -> None:
        self._scheduled = False
        while self._waiting:
            event = self._waiting.popleft()
            if self.sink is not None and not self.ended:
                self.sink(event)

    def follow(self, plan: Plan) -> None:
        """Go on with another plan, as a live session does."""
        self._plan = plan

    def is_cancelled(self, context: Context) -> bool:
        """Say whether the run was cancelled or is over."""
        return self.cancelled or self.ended

    def defer(self, context: Context, provider: str, seconds: float) -> None:
        """Keep the user's other nodes from asking a provider for a while."""
        if threading.get_ident() == self._thread:
            self.limiters.defer(provider, self.user, seconds)
        elif not self.ended:
            self._loop.call_soon_threadsafe(self.limiters.defer, provider, self.user, seconds)

    def suspend(self) -> None:
        """Take no further report: the run ends here, and goes on elsewhere."""
        self._hand_over()
        self.suspended = self.ended = True

    def note_packages(self, context: Context, packages: str) -> None:
        """Keep no outputs of a node under the name of other packages than it had."""
        if packages != packages_in(self._plan.environment):
            self.fleeting.add(context.node_id)

    async def secret(self, context: Context, name: str) -> str:
        """Return a secret that the node's type declares."""
        declared = self._plan.library.get(context.node.type, context.node.version)
        if declared is None or name not in declared.secrets:
            raise SecretMissing(f"{context.node.type} does not declare the secret {name!r}")
        if self._secrets is None:
            raise SecretMissing(f"no secret named {name!r} is known here")
        return await self._secrets(name)

    async def ask(self, context: Context, question: Question) -> Any:
        """Ask people on behalf of a node."""
        return await ask_people(self, context, question)

    async def call(
        self, context: Context, type: str, inputs: dict[str, Any], code: str | None
    ) -> dict[str, Any]:
        """Call another node type on behalf of a node."""
        if context.depth >= self.limits.depth:
            raise NodeError(
                f"nodes call each other more than {self.limits.depth} deep",
                code="too_deep",
                retryable=False,
            )
        step = compile_call(
            self._plan.library, context.node_id, type, inputs, code, self._plan.environment
        )
        if step.cache != "deterministic":
            self.fleeting.add(context.node_id)
        program = assemble([step])
        given = gather(program.gathers[0], program.template)
        inner = InnerCall(context, type, inputs, code)
        outputs = await as_node_error(self.caller.call(step, given, context.depth + 1, inner=inner))
        return {port: value for port, value in outputs.items() if value is not SKIP}

    @contextmanager
    def elsewhere(self, context: Context, told: Callable[[bool], None]) -> Iterator[None]:
        """Take it for the block that a call only waits for a run elsewhere."""
        self.crew.begin_away(context.path, told)
        try:
            yield
        finally:
            self.crew.end_away(context.path, told)

    def body(self, context: Context, step: Step, taken: Mapping[str, Any]) -> Body | None:
        """Return what runs the body of a step for one call of it."""
        return None if self.open_body is None else self.open_body(self, context, step, taken)

    @property
    def may_run_unseen(self) -> bool:
        """Whether nodes need nothing around them: none is held back, by a pause or by a limit."""
        return not self.crew.paused and not self.limiters.are_wide

    def make_tmp(self, context: Context) -> Path:
        """Make a directory that is removed after the run."""
        path = Path(tempfile.mkdtemp(prefix="spellwork-"))
        self._tmp.append(path)
        return path

    async def close(self) -> None:
        """Take no further report; remove what nodes left behind."""
        self._hand_over()
        self.ended = True
        self.caller.encodings.clear()
        for path in self._tmp:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


def _nobody(index: int, port: str) -> int:  # noqa: ARG001 - called as one that looks
    """Return 0."""
    return 0


def no_readers(index: int, port: str, stream: Any) -> None:
    """Do nothing: nobody waits for what a node makes that another one calls."""


async def as_node_error(call: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Return what ``call`` gives; what it raises is raised as a NodeError."""
    try:
        return await call
    except NodeError:
        raise
    except Exception as error:  # the edge: a node's own failure
        raise NodeError(f"{type(error).__name__}: {error}", code="exception") from error
