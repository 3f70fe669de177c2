"""Connects an external worker to a server, and comes back whenever the connection is lost."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import msgspec

from spellwork.errors import SpellworkError

from .frames import MAX_MESSAGE, Welcome, decode_to_external
from .hosted import Hosted

logger = logging.getLogger(__name__)

PATH = "/v1/external-workers/connect"

HEARTBEAT = 15.0
"""Seconds between pings; a connection that answers none for half as long is lost."""

FIRST_DELAY, LONGEST_DELAY = 0.25, 30.0
"""Seconds until the first try to come back, and at most between two."""

REVOKED = 4401
REFUSED = 4400
"""Codes of a close after which coming back is no use."""


class Refused(SpellworkError):
    """The server does not take this worker, and will not the next time."""

    code = "refused"


def address_of(url: str) -> str:
    """Return the address to connect to; raises Refused for what is none."""
    parts = urlsplit(url)
    schemes = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
    if parts.scheme not in schemes or not parts.hostname:
        raise Refused(f"{url!r} is no address: wss://HOST", code="bad_request")
    path = parts.path.rstrip("/")
    return urlunsplit(
        (schemes[parts.scheme], parts.netloc, path if path.endswith(PATH) else path + PATH, "", "")
    )


async def serve(
    hosted: Hosted,
    url: str,
    token: str,
    *,
    ca: Path | None = None,
    heartbeat: float = HEARTBEAT,
    said: Callable[[str], None] = logger.info,
) -> None:
    """Serve the object's methods to a server, until cancelled.

    ``ca``: certificates that the server's is verified with, in the place of the system's.

    Raises:
        Refused: when the server refuses the token, or what the object says of itself.
    """
    address = address_of(url)
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    if urlsplit(address).scheme == "ws" and urlsplit(address).hostname not in _HERE:
        said("The connection is not encrypted: use wss:// for any but this machine")
    delay = FIRST_DELAY
    async with aiohttp.ClientSession(trust_env=True) as session:
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await _session(hosted, session, address, token, context, heartbeat, said)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                said(
                    f"No connection to {urlsplit(address).netloc}: {str(error) or type(error).__name__}"
                )
            finally:
                hosted.disconnected()
            if asyncio.get_running_loop().time() - began > LONGEST_DELAY:
                delay = FIRST_DELAY
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads those who come back
            delay = min(LONGEST_DELAY, delay * 2)


_HERE = ("localhost", "127.0.0.1", "::1")


async def _session(
    hosted: Hosted,
    session: aiohttp.ClientSession,
    address: str,
    token: str,
    context: ssl.SSLContext,
    heartbeat: float,
    said: Callable[[str], None],
) -> None:
    """Serve over one connection, until it is lost. Raises Refused."""
    try:
        async with session.ws_connect(
            address,
            headers={"Authorization": f"Bearer {token}"},
            ssl=context,
            heartbeat=heartbeat,
            max_msg_size=MAX_MESSAGE,
            timeout=aiohttp.ClientWSTimeout(ws_close=5.0),
        ) as socket:
            await _serve(hosted, socket, said)
    except aiohttp.WSServerHandshakeError as error:
        if error.status in (400, 401, 403, 404):
            raise Refused(
                f"the server refuses this worker ({error.status}): is the token right?"
            ) from error
        raise


async def _serve(
    hosted: Hosted, socket: aiohttp.ClientWebSocketResponse, said: Callable[[str], None]
) -> None:
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    writer = asyncio.get_running_loop().create_task(_write(socket, waiting))
    try:
        hosted.connected(waiting.put_nowait)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            record = decode_to_external(message.data)
            if isinstance(record, Welcome):
                said(f"Connected as {record.name!r}")
            else:
                hosted.take(record)
    except (msgspec.DecodeError, RecursionError) as error:
        said(f"The server said something that is not understood: {error}")
    finally:
        hosted.disconnected()
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
    if socket.close_code in (REVOKED, REFUSED):
        raise Refused("the server ended the connection: " + _why(socket))
    said("The connection was lost")


async def _write(socket: aiohttp.ClientWebSocketResponse, waiting: asyncio.Queue[bytes]) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        while True:
            await socket.send_bytes(await waiting.get())


def _why(socket: aiohttp.ClientWebSocketResponse) -> str:
    told = socket.exception()
    if socket.close_code == REVOKED:
        return "its token was revoked"
    return str(told) if told is not None else "what it says of itself is not accepted"
