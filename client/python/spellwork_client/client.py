"""The client: one signed-in connection, and the services on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import httpx

from .canvases import Canvases
from .credentials import Credentials, FixedToken, Password
from .runs import Runs
from .session import Session
from .versions import Versions
from .views import RunView


class Client:
    """A connection to a Spellwork server, for scripts and notebooks.

    ::

        async with Client("http://127.0.0.1:8765", token="...") as client:
            result = await client.run({"nodes": {"a": {"type": "core.value", "inputs": {"value": 2}}}})
            result.outputs["a"]["value"]

    ``token`` is an API key (``spellwork token EMAIL``) or an access token; or give ``email`` and
    ``password``. Entering raises Unauthenticated when they are wrong, ConnectionLost when nobody
    answers. After that a lost connection comes back by itself.
    """

    canvases: Canvases
    runs: Runs
    versions: Versions
    session: Session

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        email: str | None = None,
        password: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        if (token is None) == (email is None or password is None):
            raise TypeError("Client takes either token=..., or email=... and password=...")
        self._stack = AsyncExitStack()
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout)
        credentials: Credentials
        if token is not None:
            credentials = FixedToken(token)
        else:
            credentials = Password(self._http, str(email), str(password))
        self.session = Session(url, credentials, timeout=timeout)
        self.canvases = Canvases(self.session)
        self.runs = Runs(self.session)
        self.versions = Versions(self.session)

    async def __aenter__(self) -> Self:
        """Sign in and connect."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._http)
            await stack.enter_async_context(self.session)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect. Runs that were started go on."""
        await self._stack.aclose()

    async def request(self, event: str, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call any service by its event, as ``client.request("nodes.find")``."""
        return await self.session.request(event, payload)

    async def run(
        self,
        spell: Mapping[str, Any],
        inputs: Mapping[str, Any] | None = None,
        *,
        scope: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> RunView:
        """Run a spell on the server, wait, and return it with its ``outputs`` and ``errors``.

        Raises SpellRefused when it cannot run, RunStopped when it was stopped.
        """
        run = await self.runs.create(spell=spell, inputs=inputs, scope=scope, timeout=timeout)
        return await run.wait()

    async def run_canvas(
        self, canvas: str, inputs: Mapping[str, Any] | None = None, **options: Any
    ) -> RunView:
        """The same for what is drawn on a canvas; ``options`` are those of ``runs.create``."""
        run = await self.runs.create(canvas=canvas, inputs=inputs, **options)
        return await run.wait()
