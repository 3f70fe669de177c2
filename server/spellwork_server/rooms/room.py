"""A room: one canvas's document while anybody has it open.

An edit goes: intake (checked on a shadow) -> log (durable) -> document ->
acknowledgement and fan-out. Edits that arrive while a commit is under way wait
and go into the next one together.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pycrdt import merge_updates

from spellwork.spell import Spell
from spellwork_server.errors import ServerError, StoreUnavailable, Unavailable
from spellwork_server.identity import Actor
from spellwork_server.storage.update_log import LoggedSnapshot, LoggedUpdate, UpdateLog

from .archive import Loaded, check_snapshot, encode_snapshot
from .errors import CanvasQuarantined
from .intake import Edit, Intake, Limits
from .parts import read_all
from .presence import Presence
from .update_parser import parse_state_vector

logger = logging.getLogger(__name__)

SNAPSHOT_UPDATES = 500
SNAPSHOT_BYTES = 1024 * 1024
MAX_BATCH = 256
"""Edits committed together at most."""

MAX_ATTACHMENTS = 10
"""The official client's parser takes no event with more."""

RETRY_FIRST, RETRY_LONGEST = 0.1, 5.0
"""Seconds between two attempts to write again after the store failed."""

Subscriber = Callable[[Spell, list[dict[str, Any]]], None]


@dataclass(frozen=True, slots=True)
class Committed:
    """Edits that were committed together, as one."""

    seq: int
    """The number of the last of them."""
    update: bytes
    """All of them as one Yjs update."""
    authors: tuple[str | None, ...]
    """Ids of the users who made them, each once; None is the server."""
    origins: tuple[Any, ...]
    """The sessions or connections they came from, each once; None where there was none."""
    at: float
    """When they were committed, in Unix seconds."""


Follower = Callable[[Committed], None]


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that a room needs."""

    def publish(
        self, channel: str, event: str, data: Any, *, skip: Any = None, lossy: bool = False
    ) -> None:
        """Send an event to all in a channel but ``skip``."""


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
        self.ports: dict[str, Any] = {}
        """The ports of nodes whose ports depend on their content, as last published."""
        self._document = loaded.replica
        self._parts = loaded.parts
        self._owners = loaded.owners
        self._since_snapshot = loaded.since_snapshot
        self._bytes_since_snapshot = loaded.bytes_since_snapshot
        self._log = log
        self._channels = channels
        self._queue: list[Edit] = []
        self._committing: list[Edit] = []
        self._wake = asyncio.Event()
        self._order = asyncio.Lock()
        self._subscribers: dict[object, Subscriber] = {}
        self._followers: dict[object, Follower] = {}
        self._spell: Spell | None = None
        self._closing = False
        self._fault: str | None = None
        self._quarantined: str | None = None
        self._intake = Intake(
            self._document,
            self._parts,
            self._owners,
            limits,
            lambda: (*self._committing, *self._queue),
        )

    # Reading

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
        return self._document.state_vector()

    def diff(self, state_vector: bytes | None = None) -> bytes:
        """Return, as an update, what a client with ``state_vector`` lacks. Raises UpdateInvalid."""
        if state_vector is not None:
            parse_state_vector(state_vector)
        return self._document.diff(state_vector)

    def owner_of(self, client_id: int) -> str | None:
        """Return the user whose edits carry a Yjs client id; None for one not used yet."""
        return self._owners.get(client_id)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber(spell, problems)`` after every committed change; return what ends that.

        The spell is the new one, at once; the problems are those last found,
        which follow a moment later (see ``Inspector``).
        """
        key = object()
        self._subscribers[key] = subscriber

        def unsubscribe() -> None:
            self._subscribers.pop(key, None)

        return unsubscribe

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call ``follower`` with every committed batch, in order; return what ends that.

        It is called after the batch is acknowledged. A fault of it is logged.
        """
        key = object()
        self._followers[key] = follower

        def unfollow() -> None:
            self._followers.pop(key, None)

        return unfollow

    # Editing

    async def apply_update(
        self,
        actor: Actor,
        update: bytes,
        *,
        origin: Any = None,
        queued: Callable[[], None] = lambda: None,
    ) -> int:
        """Take somebody's edit; return its number once it is durable and sent to the others.

        ``queued`` is called when its place in the order is fixed. An edit that
        changes nothing (a duplicate) gets the number it is durable under.
        Raises what ``errors`` lists, or StoreUnavailable; the document is then
        unchanged.
        """
        self._require_open()
        async with self._order:
            outline = await self._intake.parse(update)
            self._require_open()
            edits = self._intake.take(outline, update, actor.user_id, origin)
            done = self._enqueue(edits)
        queued()
        return await done

    async def replace_spell(self, actor: Actor | None, spell: Spell) -> int:
        """Turn the canvas into ``spell`` by the least edits of the live document; return their number."""
        return await self._edit(lambda user_id: self._intake.replace(spell, user_id), actor)

    async def change_spell(self, actor: Actor | None, change: Callable[[Spell], Spell]) -> int:
        """Turn the canvas into what ``change`` makes of it, by the least edits; return their number.

        ``change`` gets the spell with every edit that was accepted before, and
        is called at once; what it raises is raised here, and nothing is edited.
        """
        return await self._edit(
            lambda user_id: self._intake.replace(change(self._intake.parts.spell()), user_id), actor
        )

    async def rename(self, actor: Actor | None, name: str) -> int:
        """Name the spell, and touch nothing else; return the edit's number."""
        return await self._edit(lambda user_id: self._intake.rename(name, user_id), actor)

    async def _edit(self, make: Callable[[str | None], list[Edit]], actor: Actor | None) -> int:
        self._require_open()
        async with self._order:
            self._require_open()
            done = self._enqueue(make(None if actor is None else actor.user_id))
        return await done

    def _require_open(self) -> None:
        if self._quarantined is not None:
            raise CanvasQuarantined(self._quarantined, details={"canvas": self.canvas_id})
        if self._fault is not None:
            raise StoreUnavailable(
                "The canvas is read-only: the database takes no writes. Nothing is lost; try again",
                details={"canvas": self.canvas_id},
            )
        if self._closing:
            raise Unavailable("The server is stopping and takes no more edits")

    def _enqueue(self, edits: list[Edit]) -> asyncio.Future[int]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        if edits:
            edits[-1].done = done
            self._queue += edits
            self._wake.set()
            return done
        # Nothing new: durable as soon as everything before it is.
        waiting = (*self._committing, *self._queue)
        if waiting:
            last = Edit(b"", None, done=done)
            self._queue.append(last)
            self._wake.set()
        else:
            done.set_result(self.seq)
        return done

    # Writing

    async def run(self) -> None:
        """Commit edits until ``close``; owned by ``Rooms``."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._commit()
                if self._fault is not None:
                    await self._recover()
                elif self._wants_snapshot():
                    await self._snapshot()
            if self._closing:
                return

    def close(self) -> None:
        """Take no more edits; ``run`` returns once those that wait are durable."""
        self._closing = True
        self._wake.set()

    def free(self) -> None:
        """Let go of the documents; after ``run`` has returned."""
        self._intake.close()
        self._document.close()
        self._subscribers.clear()
        self._followers.clear()

    async def _commit(self) -> None:
        self._committing, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
        seq = self.seq
        for edit in self._committing:
            seq += 1 if edit.update else 0
            edit.seq = seq
        rows = [
            LoggedUpdate(edit.seq, edit.update, edit.user_id)
            for edit in self._committing
            if edit.update
        ]
        try:
            if rows:
                await self._log.append(self.canvas_id, rows)
        except (ServerError, OSError) as error:
            self._refuse(error)
            return
        except Exception as error:  # a row that cannot be written: the canvas was deleted, or a bug
            logger.exception("edits of canvas %s could not be written", self.canvas_id)
            self._refuse(error)
            return
        batch, self._committing = self._committing, []
        self._settle(batch)

    def _settle(self, batch: list[Edit]) -> None:
        """Take durable edits into the document, acknowledge them and tell the others."""
        try:
            for edit in batch:
                if edit.update:
                    self._document.apply(edit.update)
                    self._bytes_since_snapshot += len(edit.update)
                    self._since_snapshot += 1
                self._parts.update(edit.changes)
        except Exception as error:  # noqa: BLE001 - the log has what the document refused: it must not go on
            self._quarantine(batch, error)
            return
        self.seq = batch[-1].seq
        self._spell = None
        for edit in batch:
            if edit.done is not None and not edit.done.done():
                edit.done.set_result(edit.seq)
        self._fan_out(batch)

    def _fan_out(self, batch: list[Edit]) -> None:
        edits = [edit for edit in batch if edit.update]
        if not edits:
            return
        origins = {id(edit.origin): edit.origin for edit in edits}
        # One packet for all: an author that gets its own edit back ignores it.
        skip = next(iter(origins.values())) if len(origins) == 1 else None
        for start in range(0, len(edits), MAX_ATTACHMENTS):
            some = edits[start : start + MAX_ATTACHMENTS]
            updates = [edit.update for edit in some]
            self._channels.publish(
                self.channel,
                "canvas.updates",
                {"canvas": self.canvas_id, "seq": some[-1].seq, "updates": updates},
                skip=skip,
            )
        self._tell_followers(edits)
        self._notify()

    def _tell_followers(self, edits: list[Edit]) -> None:
        if not self._followers:
            return
        committed = Committed(
            seq=edits[-1].seq,
            update=merge_updates(*(edit.update for edit in edits)),
            authors=tuple(dict.fromkeys(edit.user_id for edit in edits)),
            origins=tuple({id(edit.origin): edit.origin for edit in edits}.values()),
            at=time.time(),
        )
        for follower in list(self._followers.values()):
            try:
                follower(committed)
            except Exception:  # one follower's fault is not the room's
                logger.exception("fault of a follower of canvas %s", self.canvas_id)

    def _notify(self) -> None:
        spell = self.spell()
        for subscriber in list(self._subscribers.values()):
            try:
                subscriber(spell, self.problems)
            except Exception:  # one subscriber's fault is not the room's
                logger.exception("fault of a subscriber to canvas %s", self.canvas_id)

    def _refuse(self, error: Exception) -> None:
        """Refuse all that waits: later edits build on those that could not be written."""
        refusal = (
            error
            if isinstance(error, ServerError)
            else StoreUnavailable("The edit could not be stored; it was not made")
        )
        self._fault = refusal.message
        self._fail_all(refusal)
        self._intake.rebuild()
        self._notify()

    def give_up(self, error: Exception) -> None:
        """Take no more edits after a fault of the room itself; whoever waits for one is told."""
        self._quarantine(self._committing, error)

    def _quarantine(self, batch: list[Edit], error: Exception) -> None:
        """Stop: the document took no edit that its shadow had taken. What is durable stays."""
        logger.critical("canvas %s is quarantined: %s", self.canvas_id, error, exc_info=error)
        self._quarantined = f"The document of canvas {self.canvas_id} broke and takes no edits"
        self._committing = batch
        self._fail_all(CanvasQuarantined(self._quarantined, details={"canvas": self.canvas_id}))
        self._notify()

    def _fail_all(self, error: ServerError) -> None:
        waiting, self._committing, self._queue = [*self._committing, *self._queue], [], []
        for edit in waiting:
            if edit.done is not None and not edit.done.done():
                edit.done.set_exception(error)

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
        """Take over edits whose commit went through although it was reported as failed."""
        self._fault = None
        if missed:
            for update in missed:
                self._document.apply(update.body)
            self._parts.replace(read_all(self._document))
            self.seq = missed[-1].seq
            self._spell = None
        self._intake.rebuild()
        self._notify()
        logger.info("canvas %s takes edits again", self.canvas_id)

    def _wants_snapshot(self) -> bool:
        return (
            self._since_snapshot >= SNAPSHOT_UPDATES or self._bytes_since_snapshot >= SNAPSHOT_BYTES
        )

    async def _snapshot(self) -> None:
        """Write the document as one, once a copy read back from it is equal; then the log is trimmed."""
        self._since_snapshot = self._bytes_since_snapshot = 0
        seq, spell, vector = self.seq, self.spell(), self.state_vector()
        body = encode_snapshot(self._document.diff(), dict(self._owners))
        try:
            await asyncio.to_thread(check_snapshot, body, vector, spell)
            await self._log.keep(self.canvas_id, LoggedSnapshot(seq, body))
        except Exception:  # without a snapshot the log is only longer
            logger.exception("no snapshot of canvas %s at %d", self.canvas_id, seq)
