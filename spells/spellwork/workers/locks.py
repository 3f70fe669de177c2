"""Environments by what is required: each lock is made once, and kept in the folder of the environments."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from spellwork.requirements import requirement_lines, wrong_requirements
from spellwork.values import digest

from .environments import Environment, Environments, base_environment, python_version
from .installer import ProvisionFailed, Tell


class Locks:
    """Gives the environment of requirements; the same requirements get the same, until somebody looks anew.

    ``tell`` gets the installer's words.
    """

    def __init__(self, environments: Environments, tell: Tell, *, anew: bool = False) -> None:
        self._environments = environments
        self._tell = tell
        self._anew = anew

    async def environment(self, requirements: Mapping[str, str]) -> Environment:
        """Return the environment of requirements: this Python itself where it has all of them.

        Raises:
            ProvisionFailed: they cannot be had, or not together, or one of them is none.
        """
        for name, reason in wrong_requirements(requirements).items():
            raise ProvisionFailed(f"the requirement {name!r} is wrong: {reason}", (), (name,))
        lines = requirement_lines(requirements)
        if not self._anew and all(map(_is_here, lines)):
            return base_environment()
        sources = self._environments.installer.sources.identity
        name = digest(python_version(), lines, sources)
        kept = self._environments.folder / "locks" / f"{name}.txt"
        lock = "" if self._anew else await asyncio.to_thread(_read, kept)
        if not lock:
            lock = await self._environments.lock(lines, self._tell)
            await asyncio.to_thread(_keep, kept, lock)
        return await self._environments.get(lock, self._tell)


def _is_here(line: str) -> bool:
    """Say whether this Python has what a requirement asks for; not of one with extras, which ask for more."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - most spells require nothing

    wanted = Requirement(line)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return False
    return not wanted.extras and wanted.specifier.contains(version, prereleases=True)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""


def _keep(file: Path, lock: str) -> None:
    """Write a lock beside and rename it: nobody finds half of one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(lock)
        Path(draft).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(draft).unlink()
        raise
