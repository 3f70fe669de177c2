"""One worker process: start it, call it, kill it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
from collections.abc import Callable
from typing import cast

import msgspec

from spellwork.errors import NodeError
from spellwork_worker.confinement import Confinement
from spellwork_worker.frames import (
    Call,
    Failed,
    FromWorker,
    Ready,
    Returned,
)

from .broker import Broker, Caller, Door
from .directories import make_directory
from .errors import LimitExceeded, WorkerDied
from .holdings import Holdings
from .limits import WorkerLimits
from .link import Link
from .program import Program
from .sandbox import LayeredSandbox, Place, find_sandbox
from .spec import WorkerSpec
from .watching import Watch

_pings = itertools.count(-1, -1)

START_TIMEOUT = 30.0
"""Seconds a worker may take until it is ready."""

END_TIMEOUT = 5.0
"""Seconds to wait for a killed process to be gone."""


class WorkerProcess:
    """A worker that takes one call at a time. Made by ``start``, ended by ``kill`` and ``gone``."""

    def __init__(
        self, directory: str, program: Program, limits: WorkerLimits, sandbox: LayeredSandbox
    ) -> None:
        self.program = program
        self.limits = limits
        self.busy = False
        self.spec: WorkerSpec | None = None
        """Whose code it has run; a process never serves two workers."""
        self.stopped = False
        """Whether somebody stopped it, and it did not die."""
        self.confinement = Confinement()
        self.on_raw: Callable[[str], None] = ignore
        self._directory = directory
        self.caller: Caller | None = None
        """For whom it runs the call under way: what they were granted, its code may do."""
        self._sandbox = sandbox
        room = limits.memory_mb * 1024 * 1024
        self.holdings = Holdings(program.codec, self.send, lambda _reason: self.kill(), room)
        """The values that stay in it."""
        self._place: Place
        self._watch: Watch
        self._door: Door | None = None
        self._transport: asyncio.SubprocessTransport
        self._stdin: asyncio.WriteTransport
        self._link: Link

    @classmethod
    async def start(
        cls,
        program: Program,
        limits: WorkerLimits,
        sandbox: LayeredSandbox | None = None,
        broker: Broker | None = None,
    ) -> WorkerProcess:
        """Start a worker, in what this machine offers to close it, and wait until it is ready.

        ``broker`` makes the connections that the worker's caller was granted.

        Raises:
            WorkerDied: it did not come up.
        """
        sandbox = sandbox or await find_sandbox()
        worker = cls(make_directory(), program, limits, sandbox)
        try:
            await worker._spawn(broker)
            async with asyncio.timeout(START_TIMEOUT):
                ready = await worker._next()
                if isinstance(ready, Ready):
                    worker.confinement = sandbox.in_force(ready.confinement)
                    if not ready.pid:  # a launcher that becomes the program
                        ready = await worker._next()
            if not isinstance(ready, Ready):
                raise worker._fault("the worker did not say that it is ready")
            worker.holdings.beside = ready.memory
            worker.holdings.reads |= frozenset(ready.reads)
        except BaseException:
            await worker.end()
            raise
        return worker

    async def _spawn(self, broker: Broker | None) -> None:
        options = {
            "parent": self._sandbox.parent,
            "memory-mb": self.limits.memory_mb,
            "files-mb": self.limits.files_mb,
            "processes": self.limits.processes,
            "open-files": self.limits.open_files,
            "cpu-seconds": self.limits.cpu_seconds,
            "max-frame": self.limits.max_frame,
        }
        inherited: tuple[int, ...] = ()
        if broker is not None and self.program.language == "python":
            self._door = broker.open(lambda: self.caller)
            inherited = (self._door.inner.fileno(),)
            options["broker"] = inherited[0]
        if self.program.language == "python" and (memory := self.holdings.open()):
            inherited += memory
            options["memory-socket"] = memory[0]
        argv = [
            *self.program.argv,
            *(
                part
                for name, value in options.items()
                if value is not None
                for part in (f"--{name}", str(value))
            ),
        ]
        self._place = await asyncio.to_thread(
            self._sandbox.place, self.program, argv, self._directory, self.limits
        )
        self._watch = Watch(self._place, self._directory, lambda: self.pid, self.kill)
        loop = asyncio.get_running_loop()
        transport, self._link = await loop.subprocess_exec(
            lambda: Link(self.limits.max_frame, self._raw, self.holdings.take, self.holdings.end),
            *self._place.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._directory,
            env={**self.program.env, "HOME": self._directory, "TMPDIR": self._directory},
            start_new_session=True,
            pass_fds=inherited,
        )
        self._transport = transport
        self._stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        self.holdings.begin()
        if self._door is not None:
            self._door.begin()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._transport.get_pid()

    @property
    def has_left(self) -> bool:
        """Whether it is known to have ended."""
        return self._link.ended

    @property
    def alive(self) -> bool:
        """Whether it can take a call: the kernel knows of a death before its pipe tells."""
        return not self._link.ended and not _has_ended(self.pid)

    def begin(self, frame: bytes) -> None:
        """Begin a call by sending its frame; ``leave`` it in the end, however it goes.

        It stays ``busy`` when it is left before Returned or Failed came: it can then only be killed.
        """
        self.busy = True
        self._watch.begin()
        self.send(frame)

    async def answer(self, call_id: int) -> FromWorker:
        """Wait for what comes next for the call under way, up to Returned or Failed.

        Raises:
            WorkerDied: it ended, or sent what is no frame.
        """
        while True:
            record = await self._next()
            if isinstance(record, Ready) or record.id != call_id:
                continue  # a thread that an earlier call left behind
            if isinstance(record, (Returned, Failed)):
                self.busy = isinstance(record, Failed) and _is_spent(record)
            return record

    def leave(self) -> None:
        """Have nobody take what the worker says, nor watch it, until the next call."""
        self._watch.end()
        self.on_raw = ignore

    @property
    def process(self) -> str:
        """Tells processes apart: never used twice, and what handles are found by."""
        return self.holdings.process

    @property
    def holds_values(self) -> bool:
        """Whether somebody still has a handle of a value in it."""
        return self.holdings.any

    async def answers(self, seconds: float) -> bool:
        """Have it run nothing at all, and say whether it did so in time. Only for one that is idle."""
        number = next(_pings)
        frame = self.program.codec.encode(Call(number, {}, code=""))
        try:
            self.begin(frame)
            async with asyncio.timeout(seconds):
                while not isinstance(await self.answer(number), (Returned, Failed)):
                    pass
        except (TimeoutError, NodeError):
            return False
        finally:
            self._watch.end()
        return not self.busy

    def send(self, frame: bytes) -> None:
        """Send a frame of the call under way."""
        if not self._stdin.is_closing():
            self._stdin.write(frame)

    @property
    def unread(self) -> int:
        """Bytes that were sent and that it has not read."""
        return self._stdin.get_write_buffer_size()

    async def _next(self) -> FromWorker:
        body = await self._link.frame()
        if body is None:
            raise await self._death()
        try:
            return self.program.codec.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            self.kill()
            raise self._fault(
                f"the worker sent something that is not a message ({error})"
            ) from error

    async def _death(self) -> WorkerDied:
        if self._link.oversize is not None:
            self.kill()
            return self._fault(
                f"the worker sent {self._link.oversize:,} bytes at once; at most {self.limits.max_frame:,} are allowed"
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT):
                await asyncio.shield(self._link.exited)
        status = self._place.status(self._transport.get_returncode())
        self.kill()
        return self._place.why(status) or WorkerDied(status, self.limits.memory_mb)

    def _fault(self, reason: str) -> WorkerDied:
        return WorkerDied(None, self.limits.memory_mb, reason)

    def kill(self) -> None:
        """Kill the worker and all that it started; returns at once.

        The kernel kills the whole group in one step, those too whose parents are gone;
        and nothing has left the group, see ``spellwork_worker.seccomp``.
        """
        self.holdings.end()
        self._watch.end()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill it, wait until it is gone, and remove its directory."""
        try:
            if hasattr(self, "_transport"):
                self.kill()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(END_TIMEOUT):
                        await asyncio.shield(self._link.exited)
        finally:  # also for who is cancelled: of all but the directory, which is found later, nobody else lets go
            if hasattr(self, "_transport"):
                self._transport.close()
            self.holdings.end()
            if self._door is not None:
                self._door.close()
        await asyncio.to_thread(self._clear)

    def _clear(self) -> None:
        """Remove its directory, and what was made around it."""
        if hasattr(self, "_place"):
            self._place.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _raw(self, data: bytes) -> None:
        if self.program.speaks:
            self.on_raw(data.decode("utf-8", "replace"))


def _is_spent(last: Failed) -> bool:
    """Say whether a call used up what would be missing in the next one: then the worker is ended."""
    return last.code == LimitExceeded.code and bool(last.details.get("spent"))


def _has_ended(pid: int) -> bool:
    """Say whether a child is dead, and leave it to the event loop to bury it."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def ignore(text: str) -> None:
    """Drop what a worker writes while nobody calls it."""
