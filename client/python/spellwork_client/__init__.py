"""The wire protocol for scripts and notebooks: sign in, draw, run, follow.

::

    from spellwork_client import Client

    async with Client(url, token=key) as client:
        run = await client.runs.create(canvas=canvas_id)
        async for event in run.events():
            print(event.kind, event.node)
"""

from .canvases import Canvases
from .client import Client
from .errors import (
    BadRequest,
    ClientError,
    ConnectionLost,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    RunStopped,
    ServerFault,
    SpellRefused,
    Unauthenticated,
)
from .runs import Run, Runs
from .session import Session
from .versions import Version, Versions
from .views import Canvas, Event, RunView

__all__ = [
    "BadRequest",
    "Canvas",
    "Canvases",
    "Client",
    "ClientError",
    "ConnectionLost",
    "Event",
    "Forbidden",
    "NotFound",
    "RateLimited",
    "Refused",
    "Run",
    "RunStopped",
    "RunView",
    "Runs",
    "ServerFault",
    "Session",
    "SpellRefused",
    "Unauthenticated",
    "Version",
    "Versions",
]
