"""The actor: whoever a request or socket speaks for, once that is proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GlobalRole = Literal["admin", "member"]
Via = Literal["session", "api_key", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, and the proof they came with.

    ``session`` is the id of the sign-in (the refresh token's family) behind an
    access token, ``api_key`` the id of the key; revoking either revokes the
    actor, see ``Authenticator.is_current``.
    """

    user_id: str
    email: str
    name: str
    role: GlobalRole
    via: Via = "session"
    session: str | None = None
    api_key: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the actor may do everything."""
        return self.role == "admin"
