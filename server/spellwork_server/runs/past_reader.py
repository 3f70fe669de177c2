"""What of a run had ended before it goes on: read back from its events, and the values they name.

A node counts as ended where its last word is ``node.done``, ``node.failed`` or
``node.skipped``, and what it left can be had exactly: a value that stayed in a
worker which is gone, that is not kept any more, in which a secret is masked or
that JSON does not give back (``data.inexact``) means that the node runs again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from spellwork import NodeFailure
from spellwork.handles import find_handle
from spellwork.past import Ended
from spellwork_server.storage.event_rows import Event
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.run_events import RunEventStore

from .references import is_stand_in
from .run_end import Left
from .tokens import PORT, TokenTally

ENDINGS = ("node.done", "node.failed", "node.skipped")
KINDS = ("run.started", "run.resumed", "node.started", *ENDINGS)
"""What is read of a run: of a node that streamed much, or wrote many lines, no more than of any other."""

PAGE = 1_000
"""Events that are read, and decoded in a thread, at a time."""

VALUES = 100
"""Large values that are read, and decoded in a thread, at a time."""

INEXACT = "inexact"
"""In ``data`` of ``node.done``: the ports of which another value is kept than the node gave."""


_USAGE = f'"{PORT}":'.encode()
"""In the events of nodes that have such an output."""


class Told(msgspec.Struct):
    """How a node ended, as its event tells it. ``outputs`` are JSON as it went on the wire."""

    node: str = ""
    outputs: dict[str, msgspec.Raw] | None = None
    why: str | None = None
    message: str | None = None
    error: Any = None
    duration: float | None = None
    data: Any = None
    kind: str = ""
    seq: int = 0


@dataclass(slots=True)
class Before:
    """What a run had done. By path: how nodes ended, in the order they did, and where their values are."""

    begun: bool = False
    """Whether it had started at all."""
    attempt: int = 1
    """The last attempt that began."""
    ended: dict[str, Ended] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    """The events of those in ``ended``."""
    since: dict[str, float] = field(default_factory=dict)
    """When those began (Unix seconds) that had not ended, at their first start in the last attempt."""
    left: Left = field(default_factory=dict)
    tokens: TokenTally = field(default_factory=TokenTally)
    """What nodes reported, also where that does not count any more, and they run again: it is spent."""
    places: frozenset[str] = frozenset()
    """Where anything was left at all, chunks and what does not count included."""

    @property
    def failed(self) -> list[str]:
        """The paths of those that failed."""
        return [path for path, ended in self.ended.items() if ended.failure is not None]


class PastReader:
    """Reads what runs had done."""

    def __init__(self, events: RunEventStore, outputs: OutputStore) -> None:
        self._events = events
        self._outputs = outputs

    async def read(self, run: str) -> Before:
        """Return what a run had done, whether it has ended or not. Time and memory grow with what it left."""
        story = _Story()
        async for page in self._pages(run, KINDS):
            await asyncio.to_thread(story.read, page)
        before = Before(story.begun, story.attempt, since=story.since(), tokens=story.tokens)
        if story.begun:
            before.places = await self._events.places_of(run)
            await self._fill(before, story, run)
        return before

    async def tokens(self, run: str) -> TokenTally:
        """Return what nodes of a run reported of tokens, as far as their ends were told."""
        story = _Story()
        async for page in self._pages(run, ("node.done",)):
            await asyncio.to_thread(story.read, [each for each in page if _USAGE in each.body])
        return story.tokens

    async def _pages(self, run: str, kinds: Sequence[str]) -> AsyncIterator[Sequence[Event]]:
        """Yield a run's events of some kinds, oldest first."""
        after = 0
        while True:
            page = await self._events.of_run(run, kinds, after=after, limit=PAGE)
            yield page
            if len(page) < PAGE:
                return
            after = page[-1].seq

    async def _fill(self, before: Before, story: _Story, run: str) -> None:
        """Put into ``before`` what has ended and can be had."""
        left: Left = {}
        for ref in await self._outputs.of_run(run):
            left.setdefault(ref.node, {})[ref.port] = ref
        endings = [told for told in story.endings() if _may_count(told, left)]
        for start in range(0, len(endings), PAGE):
            part = endings[start : start + PAGE]
            bodies = await self._large(part, left)
            for told, ended in await asyncio.to_thread(_ended_of, part, left, bodies):
                before.ended[told.node] = ended
                before.told[told.node] = told
                if told.node in left:
                    before.left[told.node] = left[told.node]

    async def _large(self, endings: Sequence[Told], left: Left) -> dict[str, Any]:
        """Return, by hash, the values that stand as references in these events, as far as they are kept."""
        keys = dict.fromkeys(
            ref.hash
            for told in endings
            for port in told.outputs or ()
            if (ref := left[told.node][port]).preview is not None
        )
        wanted = list(keys)
        values: dict[str, Any] = {}
        for start in range(0, len(wanted), VALUES):
            bodies = await self._outputs.bodies(wanted[start : start + VALUES])
            values |= await asyncio.to_thread(_decoded, bodies)
        return values


def _decoded(bodies: dict[str, bytes]) -> dict[str, Any]:
    return {key: msgspec.json.decode(body) for key, body in bodies.items()}


class _Story:
    """Reads the events of one run in their order.

    A node that starts again within one attempt was tried again: what had ended
    inside it before does not count any more. The first start of an attempt that
    goes on with an earlier one is no such: what had ended inside is kept.
    """

    def __init__(self) -> None:
        self.begun = False
        self.attempt = 1
        self.tokens = TokenTally()
        self.last: dict[str, Told] = {}
        self._void: dict[str, int] = {}
        """By path, the number up to which what ended inside does not count."""
        self._started: set[str] = set()
        self._since: dict[str, tuple[int, float]] = {}
        """By path of what began and did not end, the number and the time of its start."""

    def read(self, events: Sequence[Event]) -> None:
        """Take events that follow the last ones."""
        for event in events:
            if event.kind in ENDINGS:
                told = _decoder.decode(event.body)
                told.kind, told.seq = event.kind, event.seq
                self.last[told.node] = told
                if told.outputs and PORT in told.outputs:
                    self.tokens.take_told(told.node, told.why, told.outputs[PORT])
                self._since.pop(told.node, None)
            elif event.kind == "node.started":
                assert event.node is not None
                self._start(event.node, event.seq, event.at)
            else:
                self._begin(event)

    def _start(self, node: str, seq: int, at: float) -> None:
        self.last.pop(node, None)
        if node in self._started:
            self._void[node] = seq
            self._since.pop(node, None)
        self._started.add(node)
        self._since.setdefault(node, (seq, at))

    def _begin(self, event: Event) -> None:
        self.begun = True
        self._started.clear()
        data = _head.decode(event.body).data
        if event.kind == "run.started":
            return
        tried_again, self.attempt = data["attempt"] != self.attempt, data["attempt"]
        if tried_again:
            self._since.clear()
        endings = self.endings()
        kept, within = frozenset(data["kept"]), frozenset(data["within"])
        self.last = {
            told.node: told
            for told in (after_failures(endings) if tried_again else endings)
            if told.node in kept or first_of(told.node) in within
        }

    def endings(self) -> list[Told]:
        """Return how nodes ended, as far as that counts, in the order they did."""
        counted = [told for told in self.last.values() if not self._is_void(told.node, told.seq)]
        return sorted(counted, key=lambda told: told.seq)

    def since(self) -> dict[str, float]:
        """Return when those began that had not ended, as far as that counts."""
        begun = self._since.items()
        return {node: at for node, (seq, at) in begun if not self._is_void(node, seq)}

    def _is_void(self, node: str, seq: int) -> bool:
        return bool(self._void) and any(self._void.get(owner, 0) > seq for owner in owners_of(node))


class _Head(msgspec.Struct):
    data: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(Told)
_head = msgspec.json.Decoder(_Head)


def first_of(path: str) -> str:
    """Return the node of the run itself that a path begins with: of ``map[3]/x`` it is ``map``."""
    return path.partition("/")[0].partition("[")[0]


def owners_of(path: str) -> Iterator[str]:
    """Return the nodes that a path leads through: of ``map[3]/x`` they are ``map[3]`` and ``map``, the nearest first."""
    owner, slash, _ = path.rpartition("/")
    while slash:
        yield owner
        if owner.endswith("]"):
            yield owner[: owner.rindex("[")]
        owner, slash, _ = owner.rpartition("/")


def after_failures(endings: Sequence[Told]) -> list[Told]:
    """Return those that another attempt keeps: what did not fail, and did not end after a failure in the same run.

    What fed on a failure ended after it. Of a run's own nodes the graph says more
    (``spellwork.past.without``), so there only failures, and skips, are left out.
    """
    first: dict[str, int] = {}
    for told in endings:
        if told.kind == "node.failed":
            first.setdefault(_run_of(told.node), told.seq)
    own = _run_of("")
    return [
        told
        for told in endings
        if told.kind == "node.done"
        and ((place := _run_of(told.node)) == own or told.seq < first.get(place, told.seq + 1))
    ]


def _run_of(path: str) -> str:
    """Return which of the runs inside each other a path is of; an iteration (``map[3]``) stands for itself."""
    return path if path.endswith("]") else path.rpartition("/")[0]


def _may_count(told: Told, left: Left) -> bool:
    """Say whether all that a node left may be had, as far as its event says."""
    if isinstance(told.data, dict) and told.data.get(INEXACT):
        return False
    ports = left.get(told.node, {})
    return all(port in ports for port in told.outputs or ())


def _ended_of(
    endings: Sequence[Told], left: Left, large: dict[str, Any]
) -> list[tuple[Told, Ended]]:
    """Return those that can be had."""
    found = []
    for told in endings:
        outputs = _outputs_of(told, left, large)
        if outputs is not None:
            found.append((told, _ended(told, outputs)))
    return found


def _outputs_of(told: Told, left: Left, large: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a node left, or None where some of it is not there any more."""
    outputs: dict[str, Any] = {}
    for port, raw in (told.outputs or {}).items():
        ref: OutputRef = left[told.node][port]
        if is_stand_in(ref.hash, bytes(raw)):
            handle = find_handle(ref.hash)
            if handle is None or handle.gone is not None:
                return None
            outputs[port] = handle
        elif ref.preview is None:
            outputs[port] = msgspec.json.decode(raw)
        elif ref.hash in large:
            outputs[port] = large[ref.hash]
        else:
            return None
    return outputs


def _ended(told: Told, outputs: dict[str, Any]) -> Ended:
    failure = None if told.error is None else _failure(told.error)
    return Ended(
        outputs=outputs,
        failure=failure,
        skipped=(told.message or "") if told.kind == "node.skipped" else None,
        why=told.why,
        duration=told.duration,
    )


def _failure(error: dict[str, Any]) -> NodeFailure:
    known = {name: error[name] for name in NodeFailure.__struct_fields__ if name in error}
    return msgspec.convert(known, NodeFailure)
