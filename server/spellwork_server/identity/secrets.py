"""Random secrets that the server gives out, and the hashes by which it knows them again.

Each has 256 bits of randomness, so that a plain SHA-256 is enough: there is
nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

API_KEY_PREFIX = "sw_"
SHOWN = 10
"""Characters of an API key kept in clear, to tell keys apart in a list."""


def new_token() -> str:
    """Return a refresh token or a sign-in link's token."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    """Return an API key."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the hash under which a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def signing_key(data: Path) -> bytes:
    """Return the key that signs access tokens; made on first use in ``data``, readable by its owner only."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / "secret.key"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _existing_key(path)
    with os.fdopen(file, "wb") as stream:
        key = secrets.token_bytes(32)
        stream.write(key)
        stream.flush()
        os.fsync(stream.fileno())
    return key


def _existing_key(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) < 32:
        raise ValueError(
            f"{path} must hold at least 32 bytes; remove it to sign everybody out and make a new one"
        )
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return key
