"""Acts for the code in workers, as far as that was granted: connects to hosts, makes requests with secrets.

A worker can make no connection. For each it asks here, over a pair of sockets that it
inherits: the host is checked at that moment, its name resolved, the address found judged
(so that no name can lead to what is private, nor to another address afterwards), and the
connected socket handed over (SCM_RIGHTS). What needs a secret is asked for by an ``Ask``
on the worker's pipe, and done in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from spellwork.errors import NodeError
from spellwork.outbound.lookups import Lookups
from spellwork_worker.frames import Answer, Ask

from .addresses import as_address, choose, normal_host

MOST_ASKED = 16
"""Things that one call may have asked for and not been answered."""

MOST_CONNECTIONS = 32
"""Connections of one worker that may be under way to be made."""

CONNECT_TIMEOUT = 15.0

WEB = 443
"""The port of a host that is granted without one."""

_REQUEST_BYTES = 2_048

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom code runs: what the canvas was granted, it may do."""

    canvas: str | None
    user: str | None


class Grants(Protocol):
    """What canvases were granted."""

    async def may_reach(self, caller: Caller, host: str, port: int) -> bool:
        """Say whether code may connect to a host (in its one spelling) and port, now."""
        ...

    async def answer(self, caller: Caller, what: str, fields: dict[str, Any]) -> Any:
        """Do what code asks for, and return plain JSON. Raises NodeError with words for its author."""
        ...


class Refused(Exception):
    """A connection that is not made: the number of the system's error, and words for the author of the code."""

    def __init__(self, number: int, words: str) -> None:
        self.number = number
        super().__init__(words)


class Broker:
    """Opens a door to each worker. One broker serves all workers of a server."""

    def __init__(self, grants: Grants, lookups: Lookups | None = None) -> None:
        self.grants = grants
        self._lookups = lookups or Lookups()

    def open(self, caller: Callable[[], Caller | None]) -> Door:
        """Return a door for a worker that is about to start; ``caller`` says for whom it runs."""
        return Door(self, caller)

    async def connect(self, caller: Caller | None, host: str, port: int) -> socket.socket:
        """Connect for somebody. Raises Refused."""
        try:
            name = normal_host(host)
        except ValueError as error:
            raise Refused(errno.EINVAL, str(error)) from error
        if caller is None or not await self.grants.may_reach(caller, name, port):
            raise Refused(errno.EACCES, not_granted(name, port))
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                found = await self._lookups.find(name, port, whose(caller))
                address = choose(found, as_address(name))
                if address is None:
                    raise Refused(
                        errno.EACCES,
                        f"{name} leads to a private address, which only a grant of that address opens",
                    )
                return await _connected(str(address), port)
        except TimeoutError as error:
            raise Refused(errno.ETIMEDOUT, f"{name}:{port} did not answer in time") from error
        except socket.gaierror as error:
            raise Refused(
                errno.EHOSTUNREACH, f"{name} cannot be found ({error.strerror})"
            ) from error
        except OSError as error:
            raise Refused(error.errno or errno.EIO, f"{name}:{port}: {error.strerror}") from error


class Door:
    """The pair of sockets between the broker and one worker; ``inner`` is what the worker inherits."""

    def __init__(self, broker: Broker, caller: Callable[[], Caller | None]) -> None:
        self._broker = broker
        self._caller = caller
        self._outer, self.inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._outer.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = False

    def begin(self) -> None:
        """Listen, once the worker has its end."""
        self.inner.close()
        self._listen()

    def close(self) -> None:
        """Listen no more, and give up what is under way."""
        if self._reading:
            self._loop.remove_reader(self._outer.fileno())
            self._reading = False
        for task in self._tasks:
            task.cancel()
        self._outer.close()
        self.inner.close()

    def _listen(self) -> None:
        if not self._reading and self._outer.fileno() >= 0:
            self._reading = True
            self._loop.add_reader(self._outer.fileno(), self._readable)

    def _rest(self) -> None:
        """Listen no more until a connection is made: a worker that floods waits, and nobody else."""
        if self._reading:
            self._loop.remove_reader(self._outer.fileno())
            self._reading = False

    def _readable(self) -> None:
        try:
            data, handles, _, _ = socket.recv_fds(self._outer, _REQUEST_BYTES, 1)
        except BlockingIOError:
            return
        except OSError:
            self._rest()
            return
        if not data and not handles:  # the worker's end is closed
            self._rest()
            return
        if len(handles) != 1:
            for handle in handles:
                os.close(handle)
            return
        reply = _own_kind(handles[0])
        if reply is None:
            return
        task = self._loop.create_task(self._serve(data, reply), name="connection for a worker")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        if len(self._tasks) >= MOST_CONNECTIONS:
            self._rest()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a connection for a worker failed", exc_info=task.exception())
        if not self._tasks or len(self._tasks) == MOST_CONNECTIONS - 1:
            self._listen()

    async def _serve(self, data: bytes, reply: socket.socket) -> None:
        """Make one connection and hand it over by the socket that came with the question."""
        with contextlib.closing(reply):
            try:
                host, port = _asked(data)
                made = await self._broker.connect(self._caller(), host, port)
            except Refused as refused:
                words = {"errno": refused.number, "message": str(refused)}
                with contextlib.suppress(OSError):
                    reply.send(json.dumps(words).encode())
                return
            with made, contextlib.suppress(OSError):
                socket.send_fds(reply, [b"{}"], [made.fileno()])


async def answered(broker: Broker | None, caller: Caller, ask: Ask) -> Answer:
    """Return the answer to what code asks for; what goes wrong is said in words, and never with a secret."""
    if broker is None:
        return Answer(ask.id, ask.number, None, "nothing can be asked for here", "not_granted")
    try:
        value = await broker.grants.answer(caller, ask.what, ask.fields)
    except NodeError as error:
        return Answer(ask.id, ask.number, None, error.message, error.code)
    except Exception:
        logger.exception("what a worker asked for failed: %s", ask.what[:40])
        return Answer(ask.id, ask.number, None, "the server failed at it", "internal")
    return Answer(ask.id, ask.number, value)


def whose(caller: Caller) -> str:
    """Return what lookups are counted by: a canvas, or who runs without one."""
    return caller.canvas or caller.user or ""


def not_granted(host: str, port: int) -> str:
    """Say that a host was not granted, and how it may be."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    grant = host if port == WEB else address
    return (
        f"this canvas was not granted {address}; ask for the grant {grant!r}: an administrator (or an"
        " owner of the canvas, where the operator lets owners) grants hosts to a canvas"
    )


def _own_kind(handle: int) -> socket.socket | None:
    """Return the socket of a pair that came with a question; None where it is anything else, which is closed."""
    try:
        reply = socket.socket(fileno=handle)
    except OSError:  # no socket at all
        os.close(handle)
        return None
    reply.setblocking(False)
    if reply.family == socket.AF_UNIX:
        return reply
    with contextlib.suppress(OSError):  # else it could keep whoever closes it waiting
        reply.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
    reply.close()
    return None


def _asked(data: bytes) -> tuple[str, int]:
    try:
        fields = json.loads(data)
        host, port = fields["host"], fields["port"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(errno.EINVAL, "the question is none") from error
    if not isinstance(host, str) or type(port) is not int or not 0 < port < 65_536:
        raise Refused(errno.EINVAL, "a connection needs a host and a port")
    return host, port


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made
