"""Access tokens: short-lived JWTs (RFC 7519), signed with HS256."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from spellwork_server.errors import Unauthenticated

if TYPE_CHECKING:
    from .signing import Signer

ISSUER = "spellwork"

SESSION_COOKIE = "spellwork_session"
"""Holds the access token of a browser, for the whole site; taken only from an allowed Origin."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: whose it is, and of which sign-in."""

    user_id: str
    session: str
    expires_at: float


class AccessTokens:
    """Issues access tokens and reads them back."""

    def __init__(self, key: bytes, seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self.seconds = seconds
        """Life of a token."""

    @cached_property
    def _signer(self) -> Signer:
        from .signing import Signer  # noqa: PLC0415 - cryptography that a start need not wait for

        return Signer(self._key)

    def issue(self, user_id: str, session: str) -> str:
        """Return a token for a user's sign-in."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "sub": user_id,
            "sid": session,
            "iat": now,
            "exp": now + self.seconds,
        }
        return self._signer.sign(claims)

    def read(self, token: str) -> Claims:
        """Return what a token says. Raises Unauthenticated: ``token_invalid`` or ``token_expired``."""
        try:
            claims = self._signer.read(token)
        except ValueError as error:
            raise _invalid() from error
        subject, session, expires = claims.get("sub"), claims.get("sid"), claims.get("exp")
        if (
            claims.get("iss") != ISSUER
            or not isinstance(subject, str)
            or not isinstance(session, str)
        ):
            raise _invalid()
        if not isinstance(expires, int | float):
            raise _invalid()
        if expires <= self._clock():
            raise Unauthenticated(
                "The access token has expired; refresh it or sign in", code="token_expired"
            )
        return Claims(subject, session, float(expires))


def _invalid() -> Unauthenticated:
    return Unauthenticated("The access token is not one of this server's", code="token_invalid")
