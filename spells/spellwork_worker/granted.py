"""What a confined worker may still read: the interpreter, the installed packages, the system's libraries.

Nothing here names a directory that could hold a user's files: not the home
directory, not a temporary directory, not the directory a virtual environment
lies in. A grant cannot be narrowed again, so it names the lowest directory.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from .landlock import DEVICE, OWN, READ, READ_FILE, RUN

OF_PREFIX = ("bin", "lib", "lib64", "share", "ssl", "pyvenv.cfg")
SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store"),
    *(f"/usr/{part}" for part in ("bin", "sbin", "lib", "lib32", "lib64", "libexec", "share")),
    *(f"/usr/local/{part}" for part in ("bin", "lib", "lib64", "share")),
)
SETTINGS = (
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/fonts", "/etc/alternatives"),
    *("/etc/mime.types", "/etc/apache2/mime.types", "/etc/ssl/openssl.cnf", "/etc/ssl/certs"),
)
MACHINE = (
    *("/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/fs/cgroup/cpu.max"),
    *(f"/sys/fs/cgroup/cpu/cpu.cfs_{part}_us" for part in ("quota", "period")),
)
_PROCESS = (
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *(f"/proc/self/{part}" for part in ("fd", "maps", "stat", "statm", "status")),
)
"""What libraries ask about the machine and about themselves; of other processes nothing."""

_INSTALLED = ("site-packages", "dist-packages")
"""Directories that hold installed packages and nothing else."""

_SUFFIXES = tuple(importlib.machinery.all_suffixes())


class Sources(importlib.abc.MetaPathFinder):
    """Imports packages from source directories whose other contents stay closed.

    An editable installation puts a whole project on the module search path, and
    the server's data may lie in the same place. The packages and modules in it are
    granted one by one; a directory without ``__init__`` is not.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self.found: dict[str, tuple[str, str | None]] = {}
        for root in roots:
            for name, place in packages(Path(root)):
                self.found.setdefault(name, place)

    @property
    def paths(self) -> list[str]:
        """The packages' directories and the modules' files."""
        return [package or file for file, package in self.found.values()]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
        /,
    ) -> ModuleSpec | None:
        """Find a package or module by its name; what is inside packages Python finds by itself."""
        if fullname not in self.found:
            return None
        file, package = self.found[fullname]
        inside = None if package is None else [package]
        return importlib.util.spec_from_file_location(
            fullname, file, submodule_search_locations=inside
        )


def grants(directory: str) -> dict[str, int]:
    """Return the rights by path, and let packages outside the prefixes be imported one by one.

    ``directory`` is the worker's own.
    """
    run = [*SYSTEM, *_of_prefixes()]
    roots = [part for part in sys.path if os.path.isdir(part) and not _inside(part, run)]  # noqa: PTH112 - never raises
    whole = [part for part in roots if Path(part).name in _INSTALLED]
    run += whole  # libraries lie beside the packages that need them
    roots = [part for part in roots if part not in whole]
    sources = Sources(roots)
    sys.path[:] = [part for part in sys.path if part not in roots]
    sys.meta_path.append(sources)
    run += [*sources.paths, *mapped()]
    return {
        **dict.fromkeys(run, RUN),
        **dict.fromkeys((*SETTINGS, *MACHINE), READ),
        **dict.fromkeys(_pinned(_PROCESS), READ),
        **dict.fromkeys(("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"), READ_FILE),
        "/dev/null": DEVICE,
        directory: OWN,
    }


def _of_prefixes() -> list[str]:
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return [f"{prefix}/{part}" for prefix in sorted(prefixes) for part in OF_PREFIX]


def mapped() -> list[str]:
    """Return the packages that setuptools' editable installations find by a table of their own."""
    found: list[str] = []
    for finder in sys.meta_path:
        mapping = getattr(sys.modules.get(finder.__module__), "MAPPING", None)
        if isinstance(mapping, dict):
            found.extend(place for place in mapping.values() if isinstance(place, str))
    return found


def _pinned(paths: Iterable[str]) -> list[str]:
    """Return the paths, and hold them open: the kernel may forget a file of /proc, and a grant with it."""
    found: list[str] = []
    for path in paths:
        try:
            os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        found.append(path)
    return found


def packages(root: Path) -> Iterable[tuple[str, tuple[str, str | None]]]:
    """Yield each package and module of a directory: its file, and its directory if it has one.

    What may not be looked into (somebody else's, in a directory for all) is none, and
    a directory that may not be listed has none.
    """
    for place in _listed(root):
        if os.path.isdir(place):  # noqa: PTH112 - never raises, for a link into a closed directory neither
            if (file := _initial(place)) is not None:
                yield place.name, (str(file), str(place))
        elif suffix := next((each for each in _SUFFIXES if place.name.endswith(each)), ""):
            yield place.name.removesuffix(suffix), (str(place), None)


def _listed(root: Path) -> list[Path]:
    try:
        return sorted(root.iterdir())
    except OSError:
        return []


def _initial(place: Path) -> Path | None:
    """Return the file that makes a directory a package."""
    files = (place / f"__init__{suffix}" for suffix in _SUFFIXES)
    return next((file for file in files if os.path.isfile(file)), None)  # noqa: PTH113 - never raises


def _inside(path: str, places: Iterable[str]) -> bool:
    real = os.path.realpath(path)
    return any(
        real == place or real.startswith(place.rstrip("/") + "/")
        for place in map(os.path.realpath, places)
    )
