"""Environments: virtual environments by what is in them, shared by all who need the same.

::

    environments/
      cache/            the installer's downloads
      locks/            locks by what they were made of, where nobody else keeps them
      KEY/              an environment: its key is of its lock, the interpreter and the machine
      .new-PID-XXXX/    one that is being made

An environment is never changed: other packages are another environment. It is made
beside and renamed when it is whole, so that a crash leaves none that is half.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from spellwork.values import digest

from .directories import lives
from .installer import Installer, Sources, Tell, python_of
from .program import Program, base_program, environment_program

BASE = "base"
"""The key of the server's own environment, in which workers that require nothing run."""

AT_ONCE = 2
"""Environments that are made at a time."""

_KEY = re.compile(r"[0-9a-f]{32}")
_NEW = re.compile(r"\.new-(\d+)-\w+")


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that is there. ``directory`` is None for the server's own."""

    key: str
    lock: str
    python: str
    directory: Path | None = None

    @property
    def program(self) -> Program:
        """What Python workers in it are started from."""
        if self.directory is None:
            return base_program()
        return environment_program(str(self.directory), self.key)


def python_version() -> str:
    """Return the version of the interpreter that every environment here has."""
    return platform.python_version()


def base_environment() -> Environment:
    """Return the server's own environment."""
    return Environment(BASE, "", python_version())


def key_of(lock: str) -> str:
    """Return the key of the environment of a lock: 32 hexadecimal digits, the same for the same content."""
    machine = (sys.implementation.cache_tag, python_version(), sysconfig.get_platform())
    return digest("environment", 1, *machine, lock)[:32]


class Environments:
    """The environments in a folder.

    Args:
        folder: Where they are; made when first needed.
        sources: Where packages come from.
        keep: Unused ones that are kept, those used last.
        days: How long an unused one is kept at most.
    """

    def __init__(
        self, folder: Path, sources: Sources | None = None, *, keep: int = 5, days: float = 30
    ) -> None:
        self._folder = folder
        self.installer = Installer(folder / "cache", sources or Sources())
        self._keep = keep
        self._days = days
        self._making: dict[str, asyncio.Lock] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    async def lock(
        self, requirements: Sequence[str], tell: Tell, find_links: Sequence[str] = ()
    ) -> str:
        """Return the lock of requirements; "" of none. Raises ProvisionFailed."""
        if not requirements:
            return ""
        tell("Resolving")
        async with self._places:
            return await self.installer.lock(requirements, tell, find_links)

    async def get(self, lock: str, tell: Tell, find_links: Sequence[str] = ()) -> Environment:
        """Return the environment of a lock, made unless it is there. Raises ProvisionFailed."""
        if not lock.strip():
            return base_environment()
        key = key_of(lock)
        directory = self._folder / key
        async with self._held(key):
            if not await asyncio.to_thread(self._touch, directory):
                async with self._places:
                    await self._make(directory, lock, tell, find_links)
        return Environment(key, lock, python_version(), directory)

    def find(self, lock: str) -> Environment | None:
        """Return the environment of a lock if it is there."""
        if not lock.strip():
            return base_environment()
        key = key_of(lock)
        directory = self._folder / key
        there = python_of(directory).exists()
        return Environment(key, lock, python_version(), directory) if there else None

    async def remove_unused(self, used: Collection[str]) -> list[str]:
        """Remove what nobody uses and is not worth keeping, and what a crash left; return the keys."""
        return await asyncio.to_thread(self._remove_unused, frozenset(used))

    @asynccontextmanager
    async def _held(self, key: str) -> AsyncIterator[None]:
        lock = self._making.setdefault(key, asyncio.Lock())
        async with lock:
            yield
        if not lock.locked():
            self._making.pop(key, None)

    async def _make(
        self, directory: Path, lock: str, tell: Tell, find_links: Sequence[str]
    ) -> None:
        new = await asyncio.to_thread(self._begin)
        try:
            tell("Installing")
            await self.installer.make(new, lock, tell, find_links)
            await asyncio.to_thread(_put, new, directory)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, new, ignore_errors=True))
            raise
        tell("Ready")

    def _begin(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".new-{os.getpid()}-", dir=self._folder))

    def _touch(self, directory: Path) -> bool:
        """Note that an environment is used now; False when it is not there."""
        try:
            os.utime(directory)
        except OSError:
            return False
        return python_of(directory).exists()

    def _remove_unused(self, used: frozenset[str]) -> list[str]:
        if not self._folder.is_dir():
            return []
        unused: list[tuple[float, Path]] = []
        for path in self._folder.iterdir():
            left = _NEW.fullmatch(path.name)
            if left is not None and int(left[1]) != os.getpid() and not lives(int(left[1])):
                shutil.rmtree(path, ignore_errors=True)
            elif _KEY.fullmatch(path.name) and path.name not in {*used, *self._making}:
                with suppress(OSError):
                    unused.append((path.stat().st_mtime, path))
        unused.sort(reverse=True)
        oldest = time.time() - self._days * 86_400
        gone = [path for rank, (at, path) in enumerate(unused) if rank >= self._keep or at < oldest]
        for path in gone:
            away = path.with_name(f".new-{os.getpid()}-{path.name}")
            with suppress(OSError):
                path.rename(away)  # nobody finds it half gone
                shutil.rmtree(away, ignore_errors=True)
        return [path.name for path in gone]


def _put(new: Path, directory: Path) -> None:
    """Put what was made into its place; another server of this folder may have been faster."""
    _sync(new)
    new.chmod(0o755)
    try:
        new.rename(directory)
    except OSError:
        if not python_of(directory).exists():
            raise
        shutil.rmtree(new, ignore_errors=True)
    _sync(directory.parent)


def _sync(directory: Path) -> None:
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
