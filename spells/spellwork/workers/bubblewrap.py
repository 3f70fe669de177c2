"""Bubblewrap: namespaces of a worker's own, in which only what it is granted is there at all.

It sees no process, mount, network or user but its own; its root holds the system's
libraries, its interpreter and packages, read-only, and its directory, which is memory
of a size. See ``man bwrap``. In it the worker confines itself further.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from spellwork_worker import granted

MB = 1024 * 1024
_NAMESPACES = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"),
    *("--unshare-cgroup-try", "--die-with-parent", "--hostname", "worker"),
)
PROBE_TIMEOUT = 10.0


class NoBubblewrapError(Exception):
    """It is not there, or the system lets it make no namespaces; the text says why."""


def find_bubblewrap() -> str:
    """Return the path of bwrap after trying it. Raises NoBubblewrapError."""
    path = shutil.which("bwrap", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin")
    if path is None:
        raise NoBubblewrapError("bubblewrap (bwrap) is not installed")
    command = [path, *arguments((), "/tmp/worker", 1), "--", "/bin/sh", "-c", ":"]  # noqa: S108 - in its own namespace
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoBubblewrapError(f"bubblewrap cannot be run ({error})") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NoBubblewrapError(
            f"bubblewrap makes no namespaces here ({said[-1] if said else done.returncode})"
        )
    return path


def arguments(readable: Iterable[str], directory: str, files_mb: int) -> list[str]:
    """Return the arguments that make the namespaces; ``--`` and the program follow.

    ``readable``: environments (of which only what the interpreter needs is there), directories
    of packages (of which only the packages are), and files. ``directory`` is the worker's
    own; ``files_mb`` is what it may hold.
    """
    found = [*_NAMESPACES]
    for path in granted.SYSTEM:
        if Path(path).is_symlink():  # /bin -> usr/bin
            found += ["--symlink", str(Path(path).readlink()), path]
        else:
            found += ["--ro-bind-try", path, path]
    for path in dict.fromkeys((*granted.SETTINGS, *granted.MACHINE, *_places(readable))):
        found += ["--ro-bind-try", path, path]
    return [
        *found,
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(files_mb * MB), "--tmpfs", directory),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", directory, "--cap-drop", "ALL"),
    ]


def _places(readable: Iterable[str]) -> list[str]:
    """Return what of the readable places is bound, under its own path and where links lead.

    Nothing that lies in another one: each mount costs, and more the more there are.
    """
    found: dict[str, None] = {}
    for path in readable:
        for place in _parts(Path(path)):
            found |= dict.fromkeys((place, os.path.realpath(place)))
    covered = (*granted.SYSTEM, *found)
    return [
        place
        for place in found
        if not any(_within(place, other) for other in covered if other != place)
        and place not in granted.SYSTEM
    ]


def _parts(path: Path) -> list[str]:
    """Return what of a place is read; of one that may not be looked into nothing. ``os.path`` never raises."""
    isdir, isfile, exists = os.path.isdir, os.path.isfile, os.path.exists
    if isfile(path):
        return [str(path)]
    if isdir(path / "bin") or isfile(path / "pyvenv.cfg"):
        return [str(path / part) for part in granted.OF_PREFIX if exists(path / part)]
    if path.name in ("site-packages", "dist-packages") or isfile(path / "__init__.py"):
        return [str(path)]
    return [str(inner or file) for _, (file, inner) in granted.packages(path)]


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/")
