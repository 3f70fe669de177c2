"""Why a room refuses: each reason has a stable code.

::

    ServerError
    ├── UpdateInvalid      422  update_invalid     not a Yjs update, or one no honest client sends
    │   └── UpdateGap           update_gap         it builds on edits that the server has not got
    ├── SchemaViolation    422  schema_violation   what it would make is not a spell
    ├── UpdateTooLarge     413  update_too_large
    ├── CanvasTooLarge     413  canvas_too_large   the canvas holds as much as it may; deletions are taken
    ├── ClientIdTaken      409  client_id_taken    the client id belongs to somebody else
    ├── EpochMismatch      409  epoch_mismatch     the tab's document is of another life of the canvas
    ├── NotOpen            409  canvas_not_open    the socket has not opened the canvas
    └── CanvasQuarantined  503  canvas_quarantined its document cannot be loaded or applied to
"""

from __future__ import annotations

from spellwork_server.errors import Conflict, ServerError, TooLarge, Unavailable


class UpdateInvalid(ServerError):
    """The bytes are not a Yjs update; ``details.at`` is the offset where that shows."""

    status = 422
    default_code = "update_invalid"


class UpdateGap(UpdateInvalid):
    """The update depends on edits unknown here; ``details`` name the client, what is known and needed."""

    default_code = "update_gap"


class SchemaViolation(ServerError):
    """The edit would make something that is not a spell; ``details.errors`` say where."""

    status = 422
    default_code = "schema_violation"


class UpdateTooLarge(TooLarge):
    """One edit is over ``details.limit`` bytes."""

    default_code = "update_too_large"


class CanvasTooLarge(TooLarge):
    """The canvas's document holds ``details.limit`` bytes, with all that was ever drawn on it."""

    default_code = "canvas_too_large"


class ClientIdTaken(Conflict):
    """A Yjs client id belongs to the user who first used it on the canvas."""

    default_code = "client_id_taken"


class EpochMismatch(Conflict):
    """The canvas was replaced since the tab loaded it; ``details.epoch`` is the present one."""

    default_code = "epoch_mismatch"


class NotOpen(Conflict):
    """The socket edits a canvas that it has not opened."""

    default_code = "canvas_not_open"


class CanvasQuarantined(Unavailable):
    """The canvas's document broke; it is left as it is for an operator to look at."""

    default_code = "canvas_quarantined"


def taken(client: int) -> ClientIdTaken:
    """Return the refusal of a client id that is somebody else's."""
    return ClientIdTaken(
        f"Client id {client} belongs to somebody else; take another", details={"client": client}
    )
