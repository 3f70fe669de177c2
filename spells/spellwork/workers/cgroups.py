"""Control groups: memory and processes of all that a worker starts, counted together.

Both versions, as far as the server's own group lets it make groups below itself: as root,
in a container with its own hierarchy, or in a service with ``Delegate=yes``. See
https://docs.kernel.org/admin-guide/cgroup-v2.html and .../cgroup-v1/.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

MB = 1024 * 1024
_CONTROLLERS = ("memory", "pids")
_SERVER = "spellwork-server"
_NAME = re.compile(r"spellwork-(\d+)")
_numbers = itertools.count(1)


class NoCgroupsError(Exception):
    """There is no group in which groups can be made; the text says why."""


class Group:
    """The group of one worker. ``join`` are the files that a process writes 0 to, to enter it."""

    def __init__(self, places: dict[str, Path], *, unified: bool) -> None:
        self._places = places
        self._unified = unified

    @property
    def join(self) -> list[str]:
        """The files to write to, one for each hierarchy."""
        return sorted({str(place / "cgroup.procs") for place in self._places.values()})

    def limit(self, memory_mb: int, processes: int) -> None:
        """Set what all processes in it may use together. Raises OSError."""
        memory, pids = self._places["memory"], self._places["pids"]
        size = str(memory_mb * MB)
        (pids / "pids.max").write_text(str(processes))
        (memory / ("memory.max" if self._unified else "memory.limit_in_bytes")).write_text(size)
        swap, most = (
            ("memory.swap.max", "0") if self._unified else ("memory.memsw.limit_in_bytes", size)
        )
        with contextlib.suppress(OSError):  # where the kernel does not count swap
            (memory / swap).write_text(most)

    def pids(self) -> list[int]:
        """Return the processes in it."""
        with contextlib.suppress(OSError):
            return [
                int(line) for line in (self._places["pids"] / "cgroup.procs").read_text().split()
            ]
        return []

    def out_of_memory(self) -> bool:
        """Say whether the kernel ended a process in it for want of memory."""
        name = "memory.events" if self._unified else "memory.oom_control"
        return self._count("memory", name, "oom_kill") > 0

    def remove(self) -> None:
        """Remove it once its processes are gone; wait for that a moment."""
        for place in set(self._places.values()):
            for _ in range(20):
                try:
                    place.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
                else:
                    break

    def _count(self, controller: str, name: str, key: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            for line in (self._places[controller] / name).read_text().splitlines():
                word, _, number = line.partition(" ")
                if word == key:
                    return int(number)
        return 0


class Cgroups:
    """Makes groups for workers below the server's own. Raises NoCgroupsError where it cannot."""

    def __init__(self, system: Path = Path("/"), pid: int | None = None) -> None:
        self._pid = pid or os.getpid()
        self.unified, own = _own_groups(system)
        if self.unified:
            _delegate(own["memory"], self._pid)
        self._roots = {name: path / f"spellwork-{self._pid}" for name, path in own.items()}
        try:
            for name, root in self._roots.items():
                _remove_abandoned(own[name])
                root.mkdir(exist_ok=True)
            if self.unified:
                (self._roots["memory"] / "cgroup.subtree_control").write_text("+memory +pids")
        except OSError as error:
            raise NoCgroupsError(
                f"no group can be made in {own['memory']} ({error.strerror})"
            ) from error

    def make(self, memory_mb: int, processes: int) -> Group:
        """Make a group with limits. Raises OSError."""
        name = f"worker-{next(_numbers)}"
        group = Group(
            {each: root / name for each, root in self._roots.items()}, unified=self.unified
        )
        try:
            for root in set(self._roots.values()):
                (root / name).mkdir()
            group.limit(memory_mb, processes)
        except OSError:
            group.remove()
            raise
        return group

    def close(self) -> None:
        """Remove the server's own group of groups, once these are removed."""
        for root in set(self._roots.values()):
            with contextlib.suppress(OSError):
                root.rmdir()


def _own_groups(system: Path) -> tuple[bool, dict[str, Path]]:
    """Return whether there is one hierarchy, and the directory of this process's group by controller."""
    member: dict[str, str] = {}
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
        mounts = list(_mounts(system))
    except OSError as error:
        raise NoCgroupsError(
            f"the system tells nothing of control groups ({error.strerror})"
        ) from error
    for line in lines:
        _, controllers, path = line.split(":", 2)
        member.update(dict.fromkeys(controllers.split(",") if controllers else [""], path))
    found: dict[str, Path] = {}
    for place, root, kind, options in mounts:
        if kind == "cgroup2" and "" in member:
            own = _below(system, place, root, member[""])
            with contextlib.suppress(OSError):
                if set(_CONTROLLERS) <= set((own / "cgroup.controllers").read_text().split()):
                    return True, dict.fromkeys(_CONTROLLERS, own)
        for name in _CONTROLLERS:
            if kind == "cgroup" and name in options and name in member:
                found[name] = _below(system, place, root, member[name])
    if set(found) != set(_CONTROLLERS):
        raise NoCgroupsError("the system counts no memory and processes by control groups")
    return False, found


def _below(system: Path, mount: str, root: str, path: str) -> Path:
    """Return where a group's directory is; a container sees its own group at the mount's root."""
    base = system / mount.lstrip("/")
    inner = path.removeprefix(root) if root != "/" and path.startswith(root) else path
    place = base / inner.lstrip("/")
    return place if place.is_dir() else base


def _mounts(system: Path) -> Iterator[tuple[str, str, str, set[str]]]:
    """Yield where each file system is mounted, which part of it, its kind and options."""
    for line in (system / "proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) > 4 and len(rest) > 2:
            yield fields[4], fields[3], rest[0], set(rest[2].split(","))


def _delegate(own: Path, pid: int) -> None:
    """Let groups below ``own`` be limited: no process may be left in it, so the server moves into one below."""
    control = own / "cgroup.subtree_control"
    try:
        if set(_CONTROLLERS) <= set(control.read_text().split()):
            return
        server = own / _SERVER
        server.mkdir(exist_ok=True)
        (server / "cgroup.procs").write_text(str(pid))
        try:
            control.write_text("+memory +pids")
        except OSError:
            (own / "cgroup.procs").write_text(str(pid))
            raise
    except OSError as error:
        raise NoCgroupsError(
            f"the server's control group {own} is not its own to divide ({error.strerror})"
        ) from error


def _remove_abandoned(own: Path) -> None:
    """Remove groups of servers that are gone."""
    for root in own.glob("spellwork-*"):
        match = _NAME.fullmatch(root.name)
        if match is None or Path(f"/proc/{match[1]}").exists():
            continue
        for place in (*root.glob("worker-*"), root):
            with contextlib.suppress(OSError):
                place.rmdir()
