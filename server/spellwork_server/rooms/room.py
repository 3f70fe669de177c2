"""A room: one canvas's document while anybody has it open.

An edit waits in the inbox until a commit begins; then all that wait are tried
on the shadow (see ``Intake``), written to the log, and, once that is durable,
acknowledged and sent on. Edits that arrive while a commit is under way go into
the next one together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

from spellwork.spell import Spell
from spellwork_server.errors import ServerError, StoreUnavailable, Unavailable
from spellwork_server.identity import Actor
from spellwork_server.storage.update_log import LoggedSnapshot, LoggedUpdate, UpdateLog

from .archive import Loaded, check_snapshot, encode_snapshot
from .committed import Committed, Follower, Listeners
from .durable import Durable
from .edits import Asked, Author, Batch, Edit, Outcome, Waiter
from .errors import CanvasQuarantined, taken
from .intake import Intake, Limits
from .parts import read_all
from .presence import Presence
from .replica import DocumentBroken
from .update_parser import Outline, parse_state_vector

logger = logging.getLogger(__name__)

SNAPSHOT_UPDATES = 500
SNAPSHOT_BYTES = 1024 * 1024
MAX_BATCH = 1_024
"""Edits committed together at most."""

MAX_BATCH_BYTES = 1024 * 1024
"""Bytes of edits committed together; a longer edit goes alone."""

SLEEPS_AFTER = 1.0
SLEEPS_LATER = 16 * 1024
"""A document that is not edited is kept as bytes after a second, and one more for this many bytes of it:
building it anew takes the longer the larger it is."""

RETRY_FIRST, RETRY_LONGEST = 0.1, 5.0
"""Seconds between two attempts to write again after the store failed."""

Subscriber = Callable[[], None]


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that a room needs."""

    def encode(self, channel: str, event: str, data: Any) -> Any:
        """Return an event as ``publish`` takes it ``ready``; None where nobody is in the channel."""

    def publish(
        self,
        channel: str,
        event: str,
        data: Any,
        *,
        skip: Any = None,
        source: Any = None,
        ready: Any = None,
    ) -> None:
        """Send an event to all in a channel but ``skip``; those that lag far are served by ``source`` later."""


class _Ready(NamedTuple):
    """What a batch is told as: ``updates`` is the event's data, ``encoded`` that event for ``publish``."""

    committed: Committed
    updates: dict[str, Any]
    encoded: Any


class Room:
    """The live document of one canvas. Made by ``Rooms``, which runs its tasks.

    ``spell``, ``seq``, ``state_vector`` and ``diff`` speak of what is durable.
    """

    def __init__(
        self, canvas_id: str, loaded: Loaded, log: UpdateLog, channels: Publishes, limits: Limits
    ) -> None:
        self.canvas_id = canvas_id
        self.epoch = loaded.epoch
        self.seq = loaded.seq
        self.presence = Presence()
        self.problems: list[dict[str, Any]] = []
        """What is wrong with the spell, as last published."""
        self.further: Mapping[str, list[dict[str, Any]]] = {}
        """What is wrong beside the spell itself, by who found it; ``look_again`` shows it."""
        self.ports: dict[str, Any] = {}
        """The ports of nodes whose ports depend on their content, as last published."""
        self._parts = loaded.parts
        self._owners = loaded.owners
        self._since_snapshot = loaded.since_snapshot
        self._bytes_since_snapshot = loaded.bytes_since_snapshot
        self._log = log
        self._channels = channels
        self._inbox: list[Asked] = []
        self._batch: Batch | None = None
        """What is being committed: the shadow is ahead by it."""
        self._writing: asyncio.Future[None] | None = None
        """What became of what is being written."""
        self._rests = False
        """Whether ``run`` waits for something to do."""
        self._vector = b""
        """The state vector of the document that is asleep."""
        self._wake = asyncio.Event()
        self._order = asyncio.Lock()
        self._subscribers = Listeners(f"canvas {canvas_id}")
        self._followers = Listeners(f"the commits of canvas {canvas_id}")
        self._spell: Spell | None = None
        self._closing = False
        self._fault: str | None = None
        self._quarantined: str | None = None
        self._durable = Durable(loaded.updates)
        self._intake = Intake(loaded.replica, self._durable, self._parts, self._owners, limits)

    # Reading

    @property
    def requirements(self) -> Mapping[str, str]:
        """The packages that the spell requires; not to be changed."""
        return self._parts.requirements

    @property
    def channel(self) -> str:
        """The channel of those who have the canvas open."""
        return f"canvas:{self.canvas_id}"

    @property
    def fault(self) -> str | None:
        """Why the room takes no edits now, or None."""
        return self._quarantined or self._fault

    def spell(self) -> Spell:
        """Return the canvas as a spell, as of ``seq``."""
        if self._spell is None:
            self._spell = self._parts.spell()
        return self._spell

    def state_vector(self) -> bytes:
        """Return which edits the server has, for a client to send those it lacks."""
        if self._batch is not None:
            return self._guarded(lambda: self._durable.copy().state_vector())
        if self._intake.is_asleep:
            return self._vector
        return self._guarded(self._intake.shadow.state_vector)

    def diff(self, state_vector: bytes | None = None) -> bytes:
        """Return, as an update, what a client with ``state_vector`` lacks.

        Raises UpdateInvalid for what is no state vector, and CanvasQuarantined
        where the document breaks.
        """
        if state_vector is not None and not parse_state_vector(state_vector):
            state_vector = None
        return self._guarded(partial(self._diff, state_vector))

    def owner_of(self, client_id: int) -> str | None:
        """Return the user whose edits carry a Yjs client id; None for one not used yet."""
        return self._owners.get(client_id)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` after every change of the spell or of ``fault``; return what ends that.

        ``problems`` follow a change a moment later (see ``Inspector``).
        """
        return self._subscribers.add(subscriber)

    def look_again(self) -> None:
        """Tell subscribers that what the spell means may have changed, though nobody edited it."""
        if not self._closing:
            self._subscribers.tell()

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call ``follower`` with every committed batch, in order; return what ends that.

        It is called once the batch is durable. A fault of it is logged.
        """
        return self._followers.add(follower)

    def _diff(self, state_vector: bytes | None) -> bytes:
        if self._batch is not None:
            return self._durable.copy().diff(state_vector)
        if state_vector is None:
            return self._durable.one or self._durable.whole(self._intake.shadow)
        if self._intake.is_asleep:
            self._wake.set()  # so that it will go to sleep again
        return self._intake.shadow.diff(state_vector)

    def _guarded(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except DocumentBroken as error:
            self._quarantine(error)
            raise self._quarantine_error() from error

    # Editing

    async def apply_update(
        self,
        actor: Actor,
        update: bytes,
        *,
        origin: Any = None,
        queued: Callable[[], None] = lambda: None,
    ) -> int:
        """Take somebody's edit; return a number it is durable under, once it is and was sent to the others.

        ``queued`` is called when its place in the order is fixed. Raises what
        ``errors`` lists, or StoreUnavailable; the document is then unchanged.
        """
        self._require_open()
        waiter = Waiter()
        async with self._order:
            outline = await self._intake.parse(update)
            self._require_open()
            self._check_seats(actor, outline)
            self._ask(Asked(waiter, None, actor.user_id, origin, update, outline))
        queued()
        return await waiter.done

    def offer(self, actor: Actor, update: bytes, *, origin: Any, author: Author, name: Any) -> None:
        """Take somebody's edit without waiting: ``author`` will hear of it as ``name``.

        Its place in the order is then fixed. Raises what can be said at once.
        """
        self._require_open()
        outline = self._intake.parse_now(update)
        self._check_seats(actor, outline)
        self._ask(Asked(author, name, actor.user_id, origin, update, outline))

    async def replace_spell(self, actor: Actor | None, spell: Spell) -> int:
        """Turn the canvas into ``spell`` by the least edits of the live document; return their number."""
        return await self._edit(partial(self._intake.replace, spell), actor)

    async def change_spell(self, actor: Actor | None, change: Callable[[Spell], Spell]) -> int:
        """Turn the canvas into what ``change`` makes of it, by the least edits; return their number.

        ``change`` gets the spell with every edit that was accepted before; what
        it raises is raised here, and nothing is edited.
        """

        def make(user_id: str | None) -> None:
            self._intake.replace(change(self._intake.parts.spell()), user_id)

        return await self._edit(make, actor)

    async def rename(self, actor: Actor | None, name: str) -> int:
        """Name the spell, and touch nothing else; return the edit's number."""
        return await self._edit(partial(self._intake.rename, name), actor)

    async def settled(self) -> None:
        """Wait until the edits that came before are durable, or refused."""
        if self._inbox or self._batch is not None or self._order.locked():
            with suppress(ServerError):  # whoever made them is told
                await self._edit(lambda _user: None, None)

    async def _edit(self, make: Callable[[str | None], None], actor: Actor | None) -> int:
        self._require_open()
        waiter, user_id = Waiter(), None if actor is None else actor.user_id
        async with self._order:
            self._require_open()
            self._ask(Asked(waiter, None, user_id, write=partial(make, user_id)))
        return await waiter.done

    def _require_open(self) -> None:
        if self._quarantined is not None:
            raise self._quarantine_error()
        if self._fault is not None:
            raise StoreUnavailable(
                "The canvas is read-only: the database takes no writes. Nothing is lost; try again",
                details={"canvas": self.canvas_id},
            )
        if self._closing:
            raise Unavailable("The server is stopping and takes no more edits")

    def _check_seats(self, actor: Actor, outline: Outline) -> None:
        """Refuse an edit under the client id of somebody else who is here, though they did not edit yet."""
        for client in outline.spans:
            if self.presence.is_anothers(client, actor.user_id):
                raise taken(client)

    def _ask(self, asked: Asked) -> None:
        self._inbox.append(asked)
        if self._rests:
            with suppress(ServerError):  # ``run`` hears of it when it tries
                _ = self._write()  # a turn of the loop before ``run`` would
        self._wake.set()

    def _write(self) -> asyncio.Future[None]:
        """Have what waits written, if nothing is being written yet; return what becomes of it."""
        if self._writing is None:
            self._writing = self._log.append(self.canvas_id, self._rows, self._make_ready)
        return self._writing

    # Writing

    async def run(self) -> None:
        """Commit edits until ``close``; owned by ``Rooms``."""
        while True:
            self._rests = not self._inbox
            await self._wait()
            self._rests = False
            self._wake.clear()
            while self._inbox or self._writing is not None:
                await self._commit()
                if self._fault is not None:
                    await self._recover()
                elif self._wants_snapshot():
                    await self._snapshot()
            self._durable.rest()
            if self._closing:
                return

    async def _wait(self) -> None:
        """Wait for something to do. A document that nobody edits meanwhile goes to sleep."""
        if not self._intake.is_asleep:
            with suppress(TimeoutError):
                async with asyncio.timeout(SLEEPS_AFTER + self._durable.size / SLEEPS_LATER):
                    await self._wake.wait()
                    return
            if self._writing is None:
                self._sleep()
        await self._wake.wait()

    def _sleep(self) -> None:
        try:
            self._vector = self._intake.shadow.state_vector()
            self._durable.whole(self._intake.shadow)
        except DocumentBroken as error:
            self._quarantine(error)
        else:
            self._intake.sleep()

    def close(self) -> None:
        """Take no more edits; ``run`` returns once those that wait are durable."""
        self._closing = True
        self._wake.set()

    def free(self) -> None:
        """Let go of the documents; after ``run`` has returned."""
        self._intake.close()
        self._durable.rest()
        self._subscribers.clear()
        self._followers.clear()

    async def _commit(self) -> None:
        try:
            try:
                await self._write()
            finally:
                self._writing = None
        except (ServerError, OSError) as error:
            self._refuse(error)
        except Exception as error:  # a row that cannot be written: the canvas was deleted, or a bug
            logger.exception("edits of canvas %s could not be written", self.canvas_id)
            self._refuse(error)
        else:
            self._settle()

    def _rows(self) -> list[LoggedUpdate]:
        """Return the rows to write, when their transaction begins: only now the batch is made."""
        if self._batch is None and self._quarantined is None:
            try:
                self._batch = Batch()
                waiting = self._inbox[: self._batch_length()]
                self._batch, taken = self._intake.take(waiting, self.seq)
                del self._inbox[:taken]
            except (DocumentBroken, ServerError) as error:  # not even what is durable can be built
                self._quarantine(error)
        edits = self._batch.edits if self._batch is not None else ()
        return [LoggedUpdate(edit.seq, edit.update, edit.user_id) for edit in edits]

    def _batch_length(self) -> int:
        size = 0
        for count, asked in enumerate(self._inbox[:MAX_BATCH]):
            size += len(asked.update)
            if size > MAX_BATCH_BYTES:
                return max(1, count)
        return MAX_BATCH

    def _make_ready(self) -> None:
        """Make what the others will be sent, while the database writes."""
        batch = self._batch
        if batch is not None and batch.edits and batch.ready is None:
            with suppress(DocumentBroken):  # told when it is made once more
                batch.ready = self._ready(Committed.of(batch.edits))

    def _ready(self, committed: Committed) -> _Ready:
        updates = {
            "canvas": self.canvas_id,
            "seq": committed.seq,
            "updates": [committed.update],
        }
        return _Ready(
            committed, updates, self._channels.encode(self.channel, "canvas.updates", updates)
        )

    def _settle(self) -> None:
        """Take over what is durable now, acknowledge it and tell the others."""
        batch, self._batch = self._batch, None
        if batch is None:
            return
        for edit in batch.edits:
            self._parts.update(edit.changes)
            self._bytes_since_snapshot += len(edit.update)
        self._intake.begin_anew(committed=True)
        if batch.edits:
            self.seq = batch.edits[-1].seq
            self._since_snapshot += len(batch.edits)
            self._spell = None
        try:
            if batch.edits:
                ready = batch.ready or self._ready(Committed.of(batch.edits))
                self._durable.add(ready.committed.update, self._intake.shadow)
                self._fan_out(ready)  # first: many wait to see it, one to hear that it is safe
        finally:
            self._answer(batch.outcomes)  # whatever went wrong: it is durable
        if batch.edits:
            self._subscribers.tell()

    def _answer(self, outcomes: Iterable[tuple[Asked, Outcome]]) -> None:
        authors: dict[int, Author] = {}
        for asked, outcome in outcomes:
            authors[id(asked.author)] = asked.author
            self._tell(asked.author.settled, asked.name, outcome)
        for author in authors.values():
            self._tell(author.flush)

    def _tell(self, tell: Callable[..., None], *what: Any) -> None:
        try:
            tell(*what)
        except Exception:  # the edge of one author: the edits of the others are answered
            logger.exception("fault of one who edits canvas %s", self.canvas_id)

    def _fan_out(self, ready: _Ready) -> None:
        committed = ready.committed
        origins = committed.origins
        # One packet for all: an author that gets its own edit back ignores it.
        skip = origins[0] if len(origins) == 1 else None
        self._channels.publish(
            self.channel,
            "canvas.updates",
            ready.updates,
            skip=skip,
            source=self,
            ready=ready.encoded,
        )
        self._followers.tell(committed)

    def _refuse(self, error: Exception) -> None:
        """Refuse all that waits: later edits build on those that could not be written."""
        refusal = (
            error
            if isinstance(error, ServerError)
            else StoreUnavailable("The edit could not be stored; it was not made")
        )
        self._fault = refusal.message
        spoilt = self._batch is not None
        self._fail_all(refusal)
        if spoilt:
            self._rebuild()
        self._subscribers.tell()

    def _rebuild(self) -> None:
        try:
            self._intake.begin_anew(committed=False)
        except (DocumentBroken, ServerError) as error:
            self._quarantine(error)

    def give_up(self, error: BaseException) -> None:
        """Take no more edits after a fault of the room itself; whoever waits for one is told."""
        self._quarantine(error)

    def _quarantine(self, error: BaseException) -> None:
        """Stop: the document cannot be trusted any more. What is durable stays."""
        logger.critical("canvas %s is quarantined: %s", self.canvas_id, error, exc_info=error)
        self._quarantined = f"The document of canvas {self.canvas_id} broke and takes no edits"
        self._fail_all(self._quarantine_error())
        self._subscribers.tell()

    def _quarantine_error(self) -> CanvasQuarantined:
        return CanvasQuarantined(self._quarantined or "", details={"canvas": self.canvas_id})

    def _fail_all(self, error: ServerError) -> None:
        batch, self._batch = self._batch or Batch(), None
        waiting, self._inbox = self._inbox, []
        self._answer(
            [
                (asked, error if isinstance(outcome, int) else outcome)
                for asked, outcome in batch.outcomes
            ]
            + [(asked, error) for asked in waiting]
        )

    async def _recover(self) -> None:
        """Try the store with growing pauses until it takes writes, then read what it has."""
        pause = RETRY_FIRST
        while not self._closing:
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_LONGEST)
            try:
                await self._log.probe(self.canvas_id)
                missed = await self._log.after(self.canvas_id, self.seq)
            except (ServerError, OSError) as error:
                logger.warning("canvas %s is still read-only: %s", self.canvas_id, error)
                continue
            self._catch_up(missed)
            return

    def _catch_up(self, missed: tuple[LoggedUpdate, ...]) -> None:
        """Take over edits whose commit went through although it was reported as failed; tell everybody."""
        self._fault = None
        if missed:
            edits = [Edit(each.body, each.user_id, seq=each.seq) for each in missed]
            try:
                committed = self._take_over(edits)
            except (DocumentBroken, ServerError) as error:
                self._quarantine(error)
                return
            self._fan_out(self._ready(committed))
        self._subscribers.tell()
        logger.info("canvas %s takes edits again", self.canvas_id)

    def _take_over(self, edits: list[Edit]) -> Committed:
        shadow = self._intake.shadow
        for edit in edits:
            shadow.apply(edit.update)
            self._durable.add(edit.update, shadow)
        self._parts.replace(read_all(shadow))
        self._intake.begin_anew(committed=False)
        self.seq = edits[-1].seq
        self._since_snapshot += len(edits)
        self._spell = None
        return Committed.of(edits)

    def _wants_snapshot(self) -> bool:
        return (
            self._since_snapshot >= SNAPSHOT_UPDATES or self._bytes_since_snapshot >= SNAPSHOT_BYTES
        )

    async def _snapshot(self) -> None:
        """Write the document as one, once a copy read back from it is equal; then the log is trimmed."""
        self._since_snapshot = self._bytes_since_snapshot = 0
        seq, spell, vector = self.seq, self.spell(), self.state_vector()
        body = encode_snapshot(self.diff(), dict(self._owners))
        try:
            await asyncio.to_thread(check_snapshot, body, vector, spell)
            await self._log.keep(self.canvas_id, LoggedSnapshot(seq, body))
        except Exception:  # without a snapshot the log is only longer
            logger.exception("no snapshot of canvas %s at %d", self.canvas_id, seq)
