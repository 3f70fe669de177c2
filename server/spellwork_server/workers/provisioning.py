"""Makes the environment of one worker, once for all who wait for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spellwork.requirements import requirement_lines, wrong_requirements
from spellwork.values import digest
from spellwork.workers.environments import (
    Environment,
    Environments,
    base_environment,
    python_version,
)
from spellwork.workers.installer import ProvisionFailed, Tell
from spellwork_server.packs.allowed import normal

from .errors import EnvironmentFailed

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:==(\S+)| @ (\S+))", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an environment is to hold: requirements, and what packs add as an installer reads it.

    ``pinned``: by normalized name, the hashes one of which a distribution must have.
    """

    requirements: Mapping[str, str]
    packs: tuple[str, ...] = ()
    pinned: Mapping[str, frozenset[str]] = ()  # type: ignore[assignment] # an empty one

    @property
    def lines(self) -> tuple[str, ...]:
        """What is given to the installer."""
        return (*requirement_lines(self.requirements), *self.packs)

    @property
    def key(self) -> str:
        """Tells what is wanted apart: by content, and by the interpreter that it is for."""
        pins = sorted((name, sorted(each)) for name, each in dict(self.pinned).items())
        return digest(python_version(), self.lines, pins) if self.lines else ""


@dataclass(frozen=True, slots=True)
class Locked:
    """One distribution in a lock."""

    version: str
    hashes: tuple[str, ...]


class Provisioning:
    """Makes and keeps what ``get`` was last asked for; who asks for the same waits with the first."""

    def __init__(self, environments: Environments, tell: Tell, changed: Callable[[], None]) -> None:
        self._environments = environments
        self._tell = tell
        self._changed = changed
        self._lock = asyncio.Lock()
        self.environment: Environment | None = None
        self.error: EnvironmentFailed | None = None
        self.running = 0
        self._key: str | None = None

    def has(self, wanted: Wanted) -> bool:
        """Whether what is wanted is there, as far as is known without looking."""
        return self.environment is not None and self._key == wanted.key

    async def get(self, wanted: Wanted, lock: str = "", *, again: bool = False) -> Environment:
        """Return the environment that is wanted; ``lock`` is that of an earlier time, if there was one.

        Raises:
            EnvironmentFailed: it cannot be made. For the same wish it is so at once, unless ``again``.
        """
        wrong = wrong_requirements(wanted.requirements)
        if wrong:
            name, reason = next(iter(wrong.items()))
            self.error = EnvironmentFailed(f"the requirement {name!r}: {reason}", list(wrong))
            self._key, self.environment = wanted.key, None
            self._changed()
            raise self.error
        if not wanted.lines:
            self._key, self.environment, self.error = "", base_environment(), None
            return self.environment
        self.running += 1
        self._changed()
        try:
            async with self._lock:
                if self._key == wanted.key and not again:
                    if self.environment is not None:
                        return self.environment
                    if self.error is not None:
                        raise self.error
                return await self._make(wanted, lock)
        finally:
            self.running -= 1
            self._changed()

    async def _make(self, wanted: Wanted, lock: str) -> Environment:
        self.error = None
        try:
            lock = lock or await self._environments.lock(wanted.lines, self._tell)
            made = await self._environments.get(_pinned(lock, wanted), self._tell)
        except (ProvisionFailed, OSError) as error:
            named = error.requirements if isinstance(error, ProvisionFailed) else ()
            words = error.message if isinstance(error, ProvisionFailed) else str(error)
            self.error = EnvironmentFailed(words, named)
            self._key, self.environment = wanted.key, None
            raise self.error from error
        self._key, self.environment = wanted.key, made
        return made

    def forget(self) -> None:
        """Look anew at the next call."""
        self._key, self.error = None, None


def read_lock(lock: str) -> dict[str, Locked]:
    """Return the distributions of a lock, by normalized name."""
    found: dict[str, Locked] = {}
    starts = list(_LOCKED.finditer(lock))
    for place, match in enumerate(starts):
        end = starts[place + 1].start() if place + 1 < len(starts) else len(lock)
        hashes = tuple(_HASH.findall(lock[match.start() : end]))
        name, version, address = match.groups()
        if version is None:
            version = Path(address or "").name.split("-")[1] if "-" in (address or "") else ""
        found[normal(name)] = Locked(version, hashes)
    return found


def _pinned(lock: str, wanted: Wanted) -> str:
    """Return the lock with pinned distributions as they may be alone; raises ProvisionFailed where none is."""
    pinned = dict(wanted.pinned)
    if not pinned:
        return lock
    for name, each in read_lock(lock).items():
        allowed = pinned.get(name)
        if allowed is None:
            continue
        if not allowed & set(each.hashes):
            raise ProvisionFailed(
                f"no file of {name} {each.version} is one that is allowed", (), (name,)
            )
        for refused in set(each.hashes) - allowed:
            lock = re.sub(rf" \\\n    --hash=sha256:{refused}", "", lock)
    return lock
