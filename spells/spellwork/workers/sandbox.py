"""Where a worker's program is started: in all the layers that this machine offers, each told of.

::

    control group   memory and processes of all together      where one can be made
      namespaces    bubblewrap: nothing else is there at all   where bwrap works
        rlimits     of each process                            always
        seccomp     no sockets, no namespaces, no tracing      Linux
        Landlock    no files but those granted                 Linux, where it is on

The inner three a Python worker puts on itself; for other programs a launcher does
(``spellwork_worker.launching``). What the kernel does not count, ``watching`` counts.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import spellwork_worker
from spellwork_worker import granted
from spellwork_worker.confinement import Confinement

from .bubblewrap import NoBubblewrapError, arguments, find_bubblewrap
from .cgroups import Cgroups, Group, NoCgroupsError
from .errors import LimitExceeded
from .limits import WorkerLimits

if TYPE_CHECKING:
    from .program import Program

_ENTER = (
    'for file in $1; do echo 0 > "$file" || { echo "no way into $file" >&2; exit 125; }; done;'
    ' shift; exec "$@"'
)
SLACK_MB = 64
"""Memory for what is not the code's: namespaces, pipes, the interpreter before it limits itself."""

SLACK_PROCESSES = 8
"""Processes and threads of the worker itself and of bubblewrap."""

_SHELL_SIGNALS = 128
"""A program that a signal ended is told by its parent with this added to the signal's number."""


class Place:
    """One worker's place: the command that starts it there, and what became of it."""

    def __init__(
        self,
        argv: Sequence[str],
        limits: WorkerLimits,
        group: Group | None,
        *,
        bubble: bool,
        exhausted: frozenset[int] = frozenset(),
    ) -> None:
        self.argv = list(argv)
        self.limits = limits
        self.group = group
        self.bubble = bubble
        self._exhausted = exhausted
        self.breach: LimitExceeded | None = None
        """The limit for which it was ended."""

    def status(self, status: int | None) -> int | None:
        """Return the exit status as of the program itself: bubblewrap tells a signal by a number of its own."""
        if self.bubble and status is not None and status > _SHELL_SIGNALS:
            return _SHELL_SIGNALS - status
        return status

    def why(self, status: int | None) -> LimitExceeded | None:
        """Return the limit that ended it; None when it was none. To be asked before ``close``."""
        if self.breach is not None:
            return self.breach
        if self.group is not None and self.group.out_of_memory():
            return LimitExceeded("memory_mb", self.limits.memory_mb, status=status)
        if status is not None and -status in self._exhausted:
            return LimitExceeded("memory_mb", self.limits.memory_mb, status=status)
        if status == -signal.SIGXCPU:
            return LimitExceeded("cpu_seconds", self.limits.cpu_seconds, status=status)
        if status == -signal.SIGXFSZ:
            return LimitExceeded("files_mb", self.limits.files_mb, status=status)
        return None

    def close(self) -> None:
        """Remove what was made around the process, once that is gone. Takes a moment: for a thread."""
        if self.group is not None:
            self.group.remove()


class LayeredSandbox:
    """Makes places. ``find`` gives the one of this process; trying the layers takes some 30 ms.

    ``bubblewrap`` and ``groups`` are None where the layer is not in force, and ``absent`` says why.
    """

    def __init__(
        self, bubblewrap: str | None, groups: Cgroups | None, absent: dict[str, str]
    ) -> None:
        self.bubblewrap = bubblewrap
        self.groups = groups
        self.absent = absent

    @classmethod
    def find(cls) -> LayeredSandbox:
        """Try what the machine offers."""
        if sys.platform != "linux":
            return cls(None, None, {})
        absent: dict[str, str] = {}
        bubblewrap: str | None = None
        groups: Cgroups | None = None
        try:
            bubblewrap = find_bubblewrap()
        except NoBubblewrapError as error:
            absent["bubblewrap"] = str(error)
        try:
            groups = Cgroups()
            groups.make(SLACK_MB, SLACK_PROCESSES).remove()
        except (NoCgroupsError, OSError) as error:
            groups = None
            absent["cgroup"] = str(error)
        return cls(bubblewrap, groups, absent)

    @property
    def parent(self) -> int:
        """The id under which a process in a place sees its parent."""
        return os.getpid() if self.bubblewrap is None else 1

    def place(
        self, program: Program, argv: Sequence[str], directory: str, limits: WorkerLimits
    ) -> Place:
        """Make a place for one process, whose command line is ``argv``. Raises OSError."""
        readable = [*program.readable, *_server_packages()]
        command = list(argv)
        if program.language != "python" and sys.platform == "linux":
            command = self._launched(program, command, limits)
        if self.bubblewrap is not None:
            closed = arguments(readable, directory, limits.files_mb)
            command = [self.bubblewrap, *closed, "--", *command]
        group = None
        if self.groups is not None:
            group = self.groups.make(
                limits.memory_mb + limits.files_mb + SLACK_MB, limits.processes + SLACK_PROCESSES
            )
            command = ["/bin/sh", "-c", _ENTER, "sh", " ".join(group.join), *command]
        return Place(
            command,
            limits,
            group,
            bubble=self.bubblewrap is not None,
            exhausted=program.exhausted,
        )

    def _launched(self, program: Program, argv: list[str], limits: WorkerLimits) -> list[str]:
        """Return the command that confines itself, and then becomes the program."""
        options = {
            "parent": self.parent,
            "memory-mb": limits.memory_mb + program.reserve_mb,
            "files-mb": limits.files_mb,
            "processes": limits.processes,
            "open-files": limits.open_files,
            "codec": program.codec.name,
        }
        return [
            *(sys.executable, "-I", "-m", "spellwork_worker.launching"),
            *(part for name, value in options.items() for part in (f"--{name}", str(value))),
            *(part for path in program.readable for part in ("--read", path)),
            "--",
            *argv,
        ]

    def in_force(self, told: Confinement) -> Confinement:
        """Return what holds for a worker in a place: what it told of itself, and what is around it."""
        bubble = self.bubblewrap is not None
        around = [*(["bubblewrap"] if bubble else []), *(["cgroup"] if self.groups else [])]
        return Confinement(
            files=told.files or bubble,
            network=told.network or bubble,
            signals=told.signals or bubble,
            reason="" if bubble else told.reason,
            layers=(*around, "rlimits", *told.layers),
            absent={**self.absent, **told.absent},
        )

    def close(self) -> None:
        """Remove the groups of this process."""
        if self.groups is not None:
            self.groups.close()


@cache
def sandbox() -> LayeredSandbox:
    """Return the sandbox of this process, found once."""
    return LayeredSandbox.find()


async def find_sandbox() -> LayeredSandbox:
    """Do the same without holding up the event loop."""
    return await asyncio.to_thread(sandbox)


@cache
def _server_packages() -> tuple[str, ...]:
    """Return where this interpreter's own parts are: its prefixes, and what lies elsewhere."""
    prefixes = dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix))
    own = str(Path(spellwork_worker.__file__).resolve().parent)
    roots = [path for path in sys.path if path and os.path.isdir(path)]  # noqa: PTH112 - never raises
    packages: list[str] = []
    for root in roots:
        if root not in prefixes and not root.startswith(sysconfig.get_path("stdlib")):
            packages += _packages_of(root)
    return (*prefixes, *packages, *granted.mapped(), own)


def _packages_of(root: str) -> Iterable[str]:
    """Return the packages and modules of a directory of sources; of an installation, all of it."""
    if Path(root).name in ("site-packages", "dist-packages"):
        return [root]
    return [inner or file for _, (file, inner) in granted.packages(Path(root))]
