"""The names of streams, and who may follow which.

``canvas:ID``            shared runs on a canvas: whoever may read the canvas
``canvas:ID:user:USER``  private runs on a canvas: that user, while they may read the canvas
``user:USER``            runs of spells that came with the request: that user
``...:calls``            the calls of nodes that runs of that stream placed on queues: who may follow that stream
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from spellwork_server.errors import Forbidden, NotFound
from spellwork_server.identity import Actor, CanvasAccess, allowed

from .errors import StreamNotFound
from .views import Audience

Access = Callable[[str], Awaitable[CanvasAccess]]
"""Returns who may do what on a canvas, by its id; raises NotFound."""

NAMES = ("canvas:ID", "canvas:ID:user:USER", "user:USER")

_NAME = re.compile(
    r"(?:canvas:(?P<canvas>[A-Za-z0-9_-]{1,64})(?::user:(?P<owner>[A-Za-z0-9_-]{1,64}))?"
    r"|user:(?P<user>[A-Za-z0-9_-]{1,64}))(?::calls)?"
)


def channel_of(stream: str) -> str:
    """Return the channel of a stream. It is apart from the canvas's own, so that a socket can leave it to catch up."""
    return f"stream:{stream}"


def stream_of(canvas: str | None, user: str, audience: Audience) -> str:
    """Return the stream of a run."""
    if canvas is None:
        return f"user:{user}"
    return f"canvas:{canvas}" if audience == "shared" else f"canvas:{canvas}:user:{user}"


def calls_of(stream: str) -> str:
    """Return the stream of what the runs of a stream placed on queues: tabs that follow the runs are not told of it as of runs."""
    return f"{stream}:calls"


def runs_of(stream: str) -> str:
    """Return the stream of the runs that placed what is in a stream of calls; any other as it is."""
    return stream.removesuffix(":calls")


def streams_of(canvas: str, user: str) -> tuple[str, ...]:
    """Return the streams that a user with this canvas open follows."""
    return stream_of(canvas, user, "shared"), stream_of(canvas, user, "private"), f"user:{user}"


async def require_stream(actor: Actor, stream: str, access: Access) -> None:
    """Raise Forbidden or NotFound unless ``actor`` may follow ``stream``. Every other name is denied."""
    match = _NAME.fullmatch(stream)
    if match is None:
        raise StreamNotFound(
            f"There is no stream {stream[:100]!r}",
            details={"allowed": [*NAMES, *(calls_of(name) for name in NAMES)]},
        )
    owner = match["owner"] or match["user"]
    if owner is not None and owner != actor.user_id:
        raise Forbidden("That stream is another user's own", details={"stream": stream})
    if match["canvas"] is not None:
        await _require_canvas(actor, match["canvas"], stream, access)


async def _require_canvas(actor: Actor, canvas: str, stream: str, access: Access) -> None:
    try:
        readable = allowed(actor, "canvas.read", await access(canvas))
    except NotFound as error:
        raise StreamNotFound(
            f"There is no stream {stream!r}", details={"stream": stream}
        ) from error
    if not readable:
        raise Forbidden("That stream is of a canvas you may not read", details={"stream": stream})


def canvas_of(stream: str) -> str | None:
    """Return the canvas a stream belongs to, if any."""
    match = _NAME.fullmatch(stream)
    return None if match is None else match["canvas"]


def owner_of(stream: str) -> str | None:
    """Return the user whose own a stream is; None where it is of all on a canvas."""
    match = _NAME.fullmatch(stream)
    return None if match is None else match["owner"] or match["user"]
