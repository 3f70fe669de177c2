"""What a node call may do besides computing: report, stream, read secrets, notice a cancel."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from .errors import NodeCancelled, NodeError, SecretMissing
from .events import Event, Watcher
from .ports import Port
from .spell import Node
from .values import hash_bytes, json_bytes, to_json

if TYPE_CHECKING:
    from .asking import Question
    from .flows import Flows
    from .gates import Passage
    from .outlet import Outlet
    from .step import Step

Level = Literal["debug", "info", "warning", "error"]
T = TypeVar("T")

TRACK_INTERVAL = 0.05
"""Seconds between two progress events of ``Context.track``, so that a tight loop does not flood the sink."""


class SecretSource(Protocol):
    """Gives the value of a secret for this run, or raises ``SecretMissing``."""

    async def __call__(self, name: str) -> str:
        """Return the secret's value."""
        ...


@dataclass(frozen=True, slots=True)
class RunContext:
    """Who runs, and where: what the host of a run knows and its nodes may ask."""

    canvas: str | None = None
    user: str | None = None
    secrets: SecretSource | None = None
    begun: Mapping[str, float] = field(default_factory=dict)
    """By path, when nodes were called (Unix seconds) before the run went on, that had not ended."""


class Host(Protocol):
    """The run behind a Context. ``report`` may be called from any thread."""

    run_id: str
    canvas: str | None
    user: str | None
    prefix: str
    """The path of the node that the run is inside of, with ``/`` at its end; empty where it is in none."""
    begun: Mapping[str, float]
    """By path, when nodes were called before the run went on, that had not ended."""

    @property
    def watcher(self) -> Watcher | None:
        """The sink, where it takes chunks by the batch and may hold back who makes them."""
        ...

    @property
    def watched(self) -> bool:
        """Whether events go anywhere."""
        ...

    @property
    def begin_stream(self) -> Callable[[int, str, Any], None]:
        """Lets the steps start that read an output of the step of that index, which comes as a stream from now on."""
        ...

    @property
    def readers_of(self) -> Callable[[int, str], int]:
        """Says how many there are."""
        ...

    def report_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Hand chunks to the watcher."""
        ...

    def report(self, event: Event) -> None:
        """Take an event of a node."""
        ...

    def is_cancelled(self, context: Context) -> bool:
        """Say whether the node should stop."""
        ...

    def defer(self, context: Context, provider: str, seconds: float) -> None:
        """Keep the user's other nodes from asking a provider for a while."""
        ...

    def note_packages(self, context: Context, packages: str) -> None:
        """Take it that a node was called with these packages."""
        ...

    async def secret(self, context: Context, name: str) -> str:
        """Return a secret or raise ``SecretMissing``."""
        ...

    async def ask(self, context: Context, question: Question) -> Any:
        """Ask people on behalf of a node, and return their answer."""
        ...

    async def call(
        self, context: Context, type: str, inputs: dict[str, Any], code: str | None
    ) -> dict[str, Any]:
        """Call another node type on behalf of a node."""
        ...

    def elsewhere(
        self, context: Context, told: Callable[[bool], None]
    ) -> AbstractContextManager[None]:
        """Take it for the block that a call only waits for a run elsewhere."""
        ...

    def body(self, context: Context, step: Step, taken: Mapping[str, Any]) -> Body | None:
        """Return what runs the body of a step; ``taken`` is what it takes from outside."""
        ...

    def make_tmp(self, context: Context) -> Path:
        """Make a directory of the node's own."""
        ...


class Body(Protocol):
    """What a node runs inside itself (``settings.body``): any number of times, also several at once."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs of the body."""
        ...

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs of the body."""
        ...

    @property
    def fanned(self) -> frozenset[str]:
        """The inputs that get the items of a list one by one."""
        ...

    async def __call__(
        self, inputs: Mapping[str, Any], iteration: int | None = None
    ) -> dict[str, Any]:
        """Run it once and return its outputs by name, without those that brought nothing.

        Its nodes are told under ``NODE/``, or ``NODE[iteration]/``. Raises ``NodeError``.
        """
        ...


class DetachedHost:
    """A host with no run behind it, for tests and for worker processes to build on.

    Events gather in ``events``; ``secrets`` answers by name; ``deferred`` has the
    seconds for which a provider is to be let be. Questions to people gather in
    ``questions``, and get the first of ``answers`` that is left.
    """

    def __init__(
        self, run_id: str = "detached", canvas: str | None = None, user: str | None = None
    ) -> None:
        self.run_id = run_id
        self.canvas = canvas
        self.user = user
        self.prefix = ""
        self.begun: Mapping[str, float] = {}
        self.answers: list[Any] = []
        self.questions: list[Question] = []
        self.events: list[Event] = []
        self.secrets: dict[str, str] = {}
        self.deferred: dict[str, float] = {}
        self.cancelled = False
        self.watcher: Watcher | None = None
        self.watched = True

    def begin_stream(self, index: int, port: str, stream: Any) -> None:
        """Do nothing: no other node waits."""

    def report_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Do nothing: nobody watches."""

    def readers_of(self, index: int, port: str) -> int:
        """Return 0."""
        return 0

    def report(self, event: Event) -> None:
        """Keep the event."""
        self.events.append(event)

    def is_cancelled(self, context: Context) -> bool:
        """Say whether ``cancelled`` was set."""
        return self.cancelled

    def defer(self, context: Context, provider: str, seconds: float) -> None:
        """Keep what was asked for in ``deferred``."""
        self.deferred[provider] = seconds

    def note_packages(self, context: Context, packages: str) -> None:
        """Do nothing: nothing is kept."""

    async def secret(self, context: Context, name: str) -> str:
        """Return ``secrets[name]`` or raise ``SecretMissing``."""
        if name not in self.secrets:
            raise SecretMissing(f"no secret named {name!r} is known here")
        return self.secrets[name]

    async def ask(self, context: Context, question: Question) -> Any:
        """Return the next of ``answers``; refuse where none is left."""
        self.questions.append(question)
        if not self.answers:
            raise NodeError(
                "nobody can be asked here: only a node in the process of its run can ask people",
                code="no_asker",
                retryable=False,
            )
        return self.answers.pop(0)

    async def call(
        self, context: Context, type: str, inputs: dict[str, Any], code: str | None
    ) -> dict[str, Any]:
        """Refuse: there is no library to find the type in."""
        raise NodeError(f"{type!r} cannot be called here: this context has no run", retryable=False)

    def elsewhere(
        self,
        context: Context,
        told: Callable[[bool], None],
    ) -> AbstractContextManager[None]:
        """Do nothing: there is no run that could wait."""
        return nullcontext()

    def body(self, context: Context, step: Step, taken: Mapping[str, Any]) -> None:
        """Return None: nothing can be run here."""

    def make_tmp(self, context: Context) -> Path:
        """Make a temporary directory; the caller removes it."""
        return Path(tempfile.mkdtemp(prefix="spellwork-"))


class InnerCall:
    """One call that a node makes of another node type, through all its attempts."""

    __slots__ = ("_key", "code", "inputs", "outer", "type")

    def __init__(
        self, outer: Context, type: str, inputs: Mapping[str, Any], code: str | None
    ) -> None:
        self.outer = outer
        self.type = type
        self.inputs = inputs
        self.code = code
        self._key: str | None = None

    @property
    def key(self) -> str:
        """What tells it from the other calls that its node makes, in whatever order those are made."""
        if self._key is None:
            content = hash_bytes(json_bytes(to_json([self.type, self.inputs, self.code])))
            self._key = f"{self.outer.key}!{content}{self.outer.number(content)}"
        return self._key


class Context:
    """Handed to a node whose first parameter is annotated ``Context``.

    Every method but ``secret``, ``call``, ``ask`` and ``send`` returns at once and may
    be used from the node's own thread.
    """

    __slots__ = (
        "_counts",
        "_flows",
        "_host",
        "_tmp",
        "attempt",
        "body",
        "depth",
        "expired",
        "inner",
        "node",
        "node_id",
        "passage",
        "provider",
    )

    def __init__(
        self,
        node_id: str,
        node: Node,
        host: Host | None = None,
        *,
        attempt: int = 1,
        depth: int = 0,
        flows: Flows | None = None,
        inner: InnerCall | None = None,
    ) -> None:
        self.node_id = node_id
        self.node = node
        self.attempt = attempt
        """Which try of the node this is, from 1."""
        self.depth = depth
        """How many calls of ``Context.call`` this one is inside of."""
        self.expired = False
        """Set when the call ended or was given up: a thread still in it stops, and what it reports is dropped."""
        self.provider: str | None = None
        """Whom the call asks, as the node's type says (``limiter``)."""
        self.passage: Passage | None = None
        """The call's way through its limits, where it has any."""
        self._host: Host = host or DetachedHost()
        self._flows = flows
        self.body: Body | None = None
        """What the node has inside it, if anything."""
        self._tmp: Path | None = None
        self.inner = inner
        """The call by another node that this one is, if it is."""
        self._counts: dict[str, int] | None = None

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._host.run_id

    @property
    def canvas(self) -> str | None:
        """The id of the canvas the spell lies on, if any."""
        return self._host.canvas

    @property
    def user(self) -> str | None:
        """The id of the user who runs, if any."""
        return self._host.user

    @property
    def path(self) -> str:
        """The node's path in the run: ``a``; of a node that another one runs, ``sub/x`` or ``map[3]/x``."""
        return f"{self._host.prefix}{self.node_id}"

    @property
    def key(self) -> str:
        """What tells the call from all others of the run: the path, and for a call within a call more than that."""
        return self.path if self.inner is None else self.inner.key

    @property
    def idempotency_key(self) -> str:
        """The same for each attempt at one node of one run, also after a crash: 64 hexadecimal digits.

        A service that takes such a key does the same request once, however often it is made.
        A run that is forked from another has keys of its own.
        """
        return hashlib.sha256(f"{self.run_id}\n{self.key}".encode()).hexdigest()

    @property
    def begun_at(self) -> float | None:
        """When the node was called (Unix seconds) before the run was interrupted and went on; None where it begins now.

        What takes its time, and is called anew, goes on from there.
        """
        first = self.attempt == 1 and self.inner is None
        return self._host.begun.get(self.path) if first else None

    def number(self, what: str) -> str:
        """Return what to put behind the name of a thing that comes again in this attempt: nothing, ``?2``, ``?3``."""
        if self._counts is None:
            self._counts = {}
        count = self._counts[what] = self._counts.get(what, 0) + 1
        return f"?{count}" if count > 1 else ""

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Say how far the node is: 0 to 1, or None when it cannot be known."""
        if self.depth:  # the node that calls knows how far it is, the one it calls does not
            return
        value = None if fraction is None else min(1.0, max(0.0, float(fraction)))
        self._report(
            Event(
                kind="node.progress",
                at=time.time(),
                node=self.node_id,
                value=value,
                message=message or None,
            )
        )

    def again(self) -> None:
        """Say that the call begins anew: what it streamed until now does not count. For those who carry it out."""
        if not self.depth:
            self._report(Event("node.started", time.time(), self.node_id))

    def waits(self, what: str, message: str, until: float | None = None) -> None:
        """Say that the node waits for something (``wait``), until then (Unix seconds) where that is known."""
        if self.depth:
            return
        data: dict[str, Any] = {"for": what}
        if until is not None:
            data["until"] = until
        self._report(Event("node.waiting", time.time(), self.node_id, message=message, data=data))

    def defer(self, seconds: float) -> None:
        """Take it that the provider wants to be asked again only after so many seconds.

        Until then no node of this provider starts, in all runs of the user; at
        most an hour. Nothing where the node's type names no provider.
        """
        if self.provider is not None:
            self._host.defer(self, self.provider, seconds)

    def has_packages(self, packages: str) -> None:
        """Say which packages the call has, for those who carry it out (``packages`` of ``compile``).

        Where they are others than those it was compiled for, nobody else gets its outputs in the place of a call.
        """
        self._host.note_packages(self, packages)

    def log(self, message: str, level: Level = "info") -> None:
        """Write a line to the run's log."""
        self._report(
            Event(
                kind="node.log",
                at=time.time(),
                node=self.node_id,
                message=str(message),
                level=level,
            )
        )

    def emit(self, port: str, chunk: Any) -> None:
        """Stream a chunk of an output while the node still works. The returned value stays the whole output.

        Returns at once, however slow those are who read and watch; ``send`` waits for them.
        """
        if self.expired:
            return
        self.tell_chunk(port, chunk)
        if self._flows is not None:
            self._flows.emit(port, chunk)

    async def send(self, port: str, chunk: Any) -> None:
        """Do the same as ``emit``, and wait until those who read the output, and those who watch, have room for more.

        Raises:
            StreamEnded: the call has ended.
        """
        if self._flows is None or not self._flows.has(port):
            self.emit(port, chunk)
        else:
            await self._flows.send(port, chunk)

    def begin_flows(self, make: Callable[[Host], Flows]) -> None:
        """Make the streams of a call that nobody has made them for."""
        if self._flows is None:
            self._flows = make(self._host)

    @property
    def flows(self) -> Flows:
        """The streams of the call, for those who carry it out."""
        assert self._flows is not None, "this context has no run"
        return self._flows

    def outlet(self, port: str) -> Outlet:
        """Return the way out of the chunks that an output is made of, for those who carry the call out."""
        return self.flows.outlet(port)

    def has_pace(self, port: str) -> bool:
        """Say whether anybody may hold back who makes an output's chunks, or limits them."""
        flows = self._flows
        return flows is not None and (
            flows.is_read(port) or flows.watcher is not None or flows.output_bytes is not None
        )

    def tell_left_out(self, lines: int) -> None:
        """Tell the sink that so many lines of the log were left out where the call was made."""
        self._report(
            Event(
                kind="node.log",
                at=time.time(),
                node=self.node_id,
                message=f"{lines:,} more log lines of this node were left out",
                level="warning",
                data={"left_out": lines},
            )
        )

    def tell_chunk(self, port: str, chunk: Any) -> None:
        """Tell the sink of a chunk, and nobody else."""
        if not self.depth:
            self._report(
                Event(kind="node.chunk", at=time.time(), node=self.node_id, port=port, value=chunk)
            )

    def _report(self, event: Event) -> None:
        if self.expired:
            return
        if self._flows is not None and threading.get_ident() == self._flows.thread:
            self._flows.tell_now()
        self._host.report(event)

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled or this call given up."""
        return self.expired or self._host.is_cancelled(self)

    def check_cancelled(self) -> None:
        """Raise ``NodeCancelled`` when the run was cancelled; a long loop in a thread calls it now and then."""
        if self.cancelled:
            raise NodeCancelled("the run was cancelled")

    @property
    def tmp(self) -> Path:
        """A directory of this node alone, made when first asked for and removed after the run."""
        if self._tmp is None:
            self._tmp = self._host.make_tmp(self)
        return self._tmp

    async def secret(self, name: str) -> str:
        """Return a secret that the node type declares; raises ``SecretMissing``."""
        return await self._host.secret(self, name)

    async def ask(self, question: Question) -> Any:
        """Ask people, and return their answer, however long that takes.

        The run may end here and go on in another process: the node is then called anew, and the
        same question, the first, second, ... of the call, has its answer already. So ask first, and
        do afterwards what must be done once. The answer is as ``answers.py`` says (``{approved,
        comment}``, ``{values}``, ``{choice}``), with ``by`` ({id, name, email}, None for a default)
        and ``at`` (Unix seconds); None where that is the default of a question whose time is over.
        Only a coroutine can ask (no function in a thread, and no code in a worker).

        Raises:
            NodeError: ``no_asker`` where nobody can be asked; ``not_answered`` in time.
        """
        return await self._host.ask(self, question)

    def elsewhere(self, told: Callable[[bool], None]) -> AbstractContextManager[None]:
        """Say for a block, on the thread of the run, that the call only waits for a run elsewhere: for executors.

        ``told(True)`` is called, perhaps more than once, when all that is under way in the run only
        waits, for such runs or for people; ``told(False)`` when that is so no more. Neither is, where the call goes on.
        """
        return self._host.elsewhere(self, told)

    async def call(
        self, type: str, inputs: dict[str, Any], code: str | None = None
    ) -> dict[str, Any]:
        """Run another node type of the library once and return its outputs by port.

        Its isolation, timeout and retries hold. A failure is raised as ``NodeError``.
        """
        return await self._host.call(self, type, inputs, code)

    def track(self, items: Iterable[T], total: int | None = None, message: str = "") -> Iterator[T]:
        """Yield the items and report progress as they go; stops with ``NodeCancelled`` on a cancel."""
        if total is None:
            total = len(items) if isinstance(items, Sized) else None
        due = 0.0
        for index, item in enumerate(items):
            self.check_cancelled()
            if (now := time.monotonic()) >= due:
                due = now + TRACK_INTERVAL
                self.progress(index / total if total else None, message)
            yield item
        self.progress(1.0, message)
