"""Secrets at rest: AES-256-GCM, each bound to its own id, under a key that may be replaced by another.

Keys are in a file of the data folder that only the server may read, or given by the
operator. The first encrypts; all decrypt, so that a key goes when nothing is left under it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NAME_BYTES = 8
_NONCE_BYTES = 12


class UnknownKeyError(Exception):
    """The value was encrypted under a key that the server does not have, or was changed."""


class Vault:
    """Encrypts and decrypts. Keys are of 32 bytes, the one in use first."""

    def __init__(self, keys: list[bytes]) -> None:
        if not keys:
            raise ValueError("a vault needs a key")
        self._keys = {_name(key): key for key in keys}
        self._current = _name(keys[0])

    @classmethod
    def open(cls, data: Path, given: str | None = None) -> Vault:
        """Return the vault of a data folder; ``given`` is the operator's key, older ones after a comma."""
        if given:
            return cls([_stretched(part.strip()) for part in given.split(",") if part.strip()])
        return cls(_read_keys(data))

    def encrypt(self, id: str, value: str) -> bytes:
        """Return a secret's value for its record."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = self._keys[self._current]
        return self._current + nonce + _cipher(key).encrypt(nonce, value.encode(), id.encode())

    def decrypt(self, id: str, sealed: bytes) -> str:
        """Return the value. Raises UnknownKeyError."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - large, and needed by few servers

        name, rest = sealed[:_NAME_BYTES], sealed[_NAME_BYTES:]
        if name not in self._keys:
            raise UnknownKeyError(f"secret {id} was encrypted under a key that is not here")
        try:
            value = _cipher(self._keys[name]).decrypt(
                rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], id.encode()
            )
        except InvalidTag as error:
            raise UnknownKeyError(f"secret {id} was changed, or is another's") from error
        return str(value, "utf-8")

    def is_current(self, sealed: bytes) -> bool:
        """Say whether a value is under the key in use."""
        return sealed[:_NAME_BYTES] == self._current


def add_key(data: Path) -> None:
    """Make a new key the one in use; the older ones still decrypt."""
    keys = _read_keys(data)
    _write_keys(data, [secrets.token_bytes(_KEY_BYTES), *keys])


def drop_old_keys(data: Path) -> None:
    """Keep the key in use alone, once nothing is left under another."""
    _write_keys(data, _read_keys(data)[:1])


def _read_keys(data: Path) -> list[bytes]:
    """Return the keys of a data folder, the one in use first; made on first use."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / "secrets.key"
    if not path.exists():
        _write_keys(data, [secrets.token_bytes(_KEY_BYTES)])
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    try:
        keys = [base64.b64decode(line, validate=True) for line in path.read_text().split()]
    except ValueError as error:
        raise ValueError(f"{path} must hold keys in base64, one a line") from error
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise ValueError(f"{path} must hold keys of {_KEY_BYTES} bytes")
    return keys


def _write_keys(data: Path, keys: list[bytes]) -> None:
    """Replace the file in one step: whoever reads it has all of the old one or all of the new."""
    path, new = data / "secrets.key", data / f"secrets.key.{os.getpid()}"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)


def _stretched(text: str) -> bytes:
    """Return a key of the right length. What the operator gives is random, not a password."""
    if len(text) < _KEY_BYTES:
        raise ValueError(f"SPELLWORK_SECRETS_KEY needs {_KEY_BYTES} random characters or more")
    return hashlib.sha256(text.encode()).digest()


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"name of " + key).digest()[:_NAME_BYTES]


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers import aead  # noqa: PLC0415 - as above

    return aead.AESGCM(key)
