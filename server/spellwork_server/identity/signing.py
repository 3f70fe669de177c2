"""JWTs (RFC 7519) signed with HS256. Loads the cryptography; ``tokens`` imports it when it first needs to."""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

ALGORITHM = "HS256"


class Signer:
    """Signs claims with one key and reads them back."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the token of these claims."""
        return jwt.encode({"alg": ALGORITHM}, claims, self._key, algorithms=[ALGORITHM])

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token. Raises ValueError for one that this key did not sign."""
        try:
            return dict(jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims)
        except JoseError as error:
            raise ValueError(str(error)) from error
