"""From a canvas's log to its document and back: loading, and snapshots that are checked before they count."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from spellwork.spell import Spell
from spellwork_server.errors import ServerError
from spellwork_server.storage.update_log import CanvasLog, LoggedSnapshot, LoggedUpdate

from .errors import CanvasQuarantined, UpdateGap
from .parts import Parts, read_all
from .replica import DocumentBroken, Replica, clients_that_begin
from .update_parser import parse_state_vector

logger = logging.getLogger(__name__)


class SnapshotBody(msgspec.Struct, array_like=True):
    """A snapshot: its format, the whole document as one update, and whose the client ids are."""

    format: int
    update: bytes
    owners: dict[int, str]


@dataclass(slots=True)
class Loaded:
    """A document out of the log."""

    epoch: str
    seq: int
    updates: tuple[bytes, ...]
    """What the document is made of, in order."""
    replica: Replica
    parts: Parts
    owners: dict[int, str] = field(default_factory=dict)
    """Client id -> the user who first used it."""
    since_snapshot: int = 0
    """Edits after the newest snapshot."""
    bytes_since_snapshot: int = 0


def load(canvas_id: str, log: CanvasLog) -> Loaded:
    """Build the document from the newest snapshot that can be read and the edits after it.

    Raises CanvasQuarantined when none leads to a document.
    """
    failures: list[str] = []
    for snapshot in (*log.snapshots, None):
        if snapshot is None and failures and (not log.updates or log.updates[0].seq != 1):
            break
        try:
            return _load_from(snapshot, log)
        except (ServerError, DocumentBroken, msgspec.MsgspecError) as error:
            where = f"snapshot {snapshot.seq}" if snapshot else "the edits alone"
            logger.exception("canvas %s cannot be loaded from %s", canvas_id, where)
            failures.append(f"{where}: {error}")
    raise CanvasQuarantined(
        f"The document of canvas {canvas_id} cannot be loaded; it is left untouched",
        details={"canvas": canvas_id, "failures": failures},
    )


def _load_from(snapshot: LoggedSnapshot | None, log: CanvasLog) -> Loaded:
    start = snapshot.seq if snapshot else 0
    updates = log.after(start)
    if [update.seq for update in updates] != [*range(start + 1, start + 1 + len(updates))]:
        # The CRDT would wait for them without a word, and show a canvas with a hole in it.
        raise UpdateGap(f"Edits after number {start} are missing from the log")
    bodies = [update.body for update in updates]
    owners: dict[int, str] = {}
    if snapshot is not None:
        body = msgspec.msgpack.decode(snapshot.body, type=SnapshotBody)
        owners = body.owners
        bodies.insert(0, body.update)
    replica = Replica(bodies)
    claim(owners, updates, replica.clients())
    return Loaded(
        epoch=log.epoch,
        seq=start + len(updates),
        updates=tuple(bodies),
        replica=replica,
        parts=read_all(replica),
        owners=owners,
        since_snapshot=len(updates),
        bytes_since_snapshot=sum(len(update.body) for update in updates),
    )


def claim(owners: dict[int, str], updates: Iterable[LoggedUpdate], clients: Iterable[int]) -> None:
    """Note whose client ids logged edits carry, as far as ``owners`` does not know all of ``clients``.

    Whoever edits goes on under an id that is known: mostly there is nothing to look for, and looking
    costs as much as building the document.
    """
    unknown = set(clients).difference(owners)
    for update in updates:
        if not unknown:
            return
        for client in unknown.intersection(clients_that_begin(update.body)):
            unknown.discard(client)
            if update.user_id is not None:
                owners[client] = update.user_id


def encode_snapshot(update: bytes, owners: dict[int, str]) -> bytes:
    """Return a snapshot's body."""
    return msgspec.msgpack.encode(SnapshotBody(1, update, owners))


def check_snapshot(body: bytes, state_vector: bytes, spell: Spell) -> None:
    """Read a snapshot back and compare it with what it was made from; raise ValueError when it differs.

    Runs in a thread: it builds a second document.
    """
    decoded = msgspec.msgpack.decode(body, type=SnapshotBody)
    replica = Replica([decoded.update], watched=False)
    try:
        if parse_state_vector(replica.state_vector()) != parse_state_vector(state_vector):
            raise ValueError("the snapshot's state vector differs")
        if read_all(replica).spell() != spell:
            raise ValueError("the snapshot's content differs")
    finally:
        replica.close()
