"""One worker process: start it, call it, kill it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from spellwork_worker.confinement import Confinement
from spellwork_worker.frames import (
    MAX_FRAME,
    Failed,
    FromWorker,
    Ready,
    Returned,
)

from .directories import make_directory
from .errors import WorkerDied
from .link import Link
from .program import Program, Sandbox

START_TIMEOUT = 30.0
"""Seconds a worker may take until it is ready."""

END_TIMEOUT = 5.0
"""Seconds to wait for a killed process to be gone."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker may use.

    ``memory_mb`` is address space, ``file_mb`` the largest file it may write,
    ``max_frame`` the bytes of one call's inputs, one chunk, or one call's outputs.
    """

    memory_mb: int = 1024
    file_mb: int = 1024
    max_frame: int = MAX_FRAME


class WorkerProcess:
    """A worker that takes one call at a time. Made by ``start``, ended by ``kill`` and ``gone``."""

    def __init__(
        self, directory: str, program: Program, limits: WorkerLimits, sandbox: Sandbox | None
    ) -> None:
        self.program = program
        self.limits = limits
        self.busy = False
        self.key: str | None = None
        """Whose code it has run; a worker never serves two keys."""
        self.confinement = Confinement()
        self.on_raw: Callable[[str], None] = ignore
        self._directory = directory
        self._sandbox = sandbox
        self._transport: asyncio.SubprocessTransport
        self._link: Link

    @classmethod
    async def start(
        cls, program: Program, limits: WorkerLimits, sandbox: Sandbox | None = None
    ) -> WorkerProcess:
        """Start a worker and wait until it is ready.

        Raises:
            WorkerDied: it did not come up.
        """
        worker = cls(make_directory(), program, limits, sandbox)
        try:
            await worker._spawn()
            async with asyncio.timeout(START_TIMEOUT):
                ready = await worker._next()
            if not isinstance(ready, Ready):
                raise worker._fault("the worker did not say that it is ready")
            worker.confinement = ready.confinement
        except BaseException:
            await worker.end()
            raise
        return worker

    async def _spawn(self) -> None:
        options = {
            "parent": os.getpid(),
            "memory-mb": self.limits.memory_mb,
            "file-mb": self.limits.file_mb,
            "max-frame": self.limits.max_frame,
        }
        argv: Sequence[str] = [
            *self.program.argv,
            *(part for name, value in options.items() for part in (f"--{name}", str(value))),
        ]
        if self._sandbox is not None:
            argv = self._sandbox.command(self.program, argv, self._directory, self.limits)
        loop = asyncio.get_running_loop()
        transport, self._link = await loop.subprocess_exec(
            lambda: Link(self.limits.max_frame, self._raw),
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._directory,
            env={**self.program.env, "HOME": self._directory, "TMPDIR": self._directory},
            start_new_session=True,
        )
        self._transport = transport

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._transport.get_pid()

    @property
    def alive(self) -> bool:
        """Whether it can take a call: the kernel knows of a death before its pipe tells."""
        return not self._link.ended and not _has_ended(self.pid)

    async def call(self, frame: bytes, call_id: int) -> AsyncGenerator[FromWorker, None]:
        """Send a Call's frame and yield what comes for it, up to Returned or Failed.

        Leave ``busy`` set when it ends early: the worker can then only be killed.

        Raises:
            WorkerDied: it ended, or sent what is no frame.
        """
        self.busy = True
        self.send(frame)
        while True:
            record = await self._next()
            if isinstance(record, Ready) or record.id != call_id:
                continue  # a thread that an earlier call left behind
            if isinstance(record, (Returned, Failed)):
                self.busy = False
            yield record
            if not self.busy:
                return

    def send(self, frame: bytes) -> None:
        """Send a frame of the call under way."""
        stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        if not stdin.is_closing():
            stdin.write(frame)

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
        status = self._transport.get_returncode()
        self.kill()
        return WorkerDied(status, self.limits.memory_mb)

    def _fault(self, reason: str) -> WorkerDied:
        return WorkerDied(None, self.limits.memory_mb, reason)

    def kill(self) -> None:
        """Kill the worker and all that it started; returns at once.

        The kernel kills the whole group in one step, those too whose parents are gone;
        and nothing has left the group, see ``spellwork_worker.seccomp``.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill it, wait until it is gone, and remove its directory."""
        if hasattr(self, "_transport"):
            self.kill()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_TIMEOUT):
                    await asyncio.shield(self._link.exited)
            self._transport.close()
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def _raw(self, data: bytes) -> None:
        self.on_raw(data.decode("utf-8", "replace"))


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
