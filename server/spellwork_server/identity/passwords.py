"""Passwords, hashed with argon2id off the event loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
"""Hashes computed at once; each takes 64 MiB while it lasts."""


class Passwords:
    """Hashes and checks passwords with argon2id (RFC 9106, the low-memory profile)."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to keep."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether ``password`` is the one behind the hash.

        Takes the same time when there is no hash: how long a sign-in takes
        must not say whether an account exists.
        """
        async with self._turns:
            return await asyncio.to_thread(self._verify, password_hash, password)

    def outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        if password_hash is None:
            if self._decoy is None:
                self._decoy = self._hasher.hash("the password of nobody")
            self._matches(self._decoy, password)
            return False
        return self._matches(password_hash, password)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
