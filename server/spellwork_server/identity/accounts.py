"""Signing in and out, and changing accounts: what follows from each is done here, once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from spellwork_server.errors import Conflict, Forbidden, Unauthenticated
from spellwork_server.storage.sign_ins import SignInRecords
from spellwork_server.storage.users import UserRecord, UserRecords, normal

from .actor import Actor, GlobalRole
from .attempts import Attempts
from .authenticator import Authenticator
from .passwords import Passwords
from .secrets import digest, new_token
from .tokens import AccessTokens

LINK_SECONDS = 24 * 3600.0
ADMINISTRATOR = "admin@localhost"
"""Email address of the account that the first start creates."""

REFUSED_REFRESH = {
    "unknown": ("token_invalid", "The refresh token is not one of this server's; sign in again"),
    "expired": ("token_expired", "The sign-in has expired; sign in again"),
    "revoked": ("token_revoked", "The sign-in was ended; sign in again"),
    "reused": (
        "token_revoked",
        "The refresh token was used before; the sign-in was ended for safety",
    ),
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """A fresh pair of tokens, and whose they are."""

    user: UserRecord
    session: str
    access_token: str
    refresh_token: str
    expires_in: int
    refresh_expires_in: int


class Accounts:
    """Accounts and sign-ins, with their rules."""

    def __init__(
        self,
        *,
        users: UserRecords,
        sign_ins: SignInRecords,
        tokens: AccessTokens,
        authenticator: Authenticator,
        passwords: Passwords,
        attempts: Attempts,
        refresh_days: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._users = users
        self._sign_ins = sign_ins
        self._tokens = tokens
        self._authenticator = authenticator
        self._passwords = passwords
        self._attempts = attempts
        self._refresh_seconds = refresh_days * 86_400
        self._clock = clock

    async def sign_in(self, email: str, password: str, address: str) -> SignIn:
        """Sign in with a password. Raises Unauthenticated, the same for every cause, or RateLimited."""
        mailbox = normal(email)
        self._attempts.note(mailbox, address)
        user = await self._users.by_email(email)
        matches = await self._passwords.verify(user.password_hash if user else None, password)
        if user is None or not matches or user.disabled:
            raise Unauthenticated(
                "The email address or the password is wrong", code="wrong_credentials"
            )
        if user.password_hash is not None and self._passwords.outdated(user.password_hash):
            await self._users.update(user.id, password_hash=await self._passwords.hash(password))
        return await self.begin(user)

    async def sign_in_by_link(self, token: str, address: str) -> SignIn:
        """Sign in with a one-time link's token, and use it up."""
        self._attempts.note_address(address)
        user_id = await self._sign_ins.use_link(digest(token))
        user = await self._users.get(user_id) if user_id else None
        if user is None or user.disabled:
            raise Unauthenticated("The sign-in link is wrong, used or expired", code="link_invalid")
        return await self.begin(user)

    async def refresh(self, refresh_token: str) -> SignIn:
        """Exchange a refresh token for the next pair. A token used again later ends its sign-in (S25)."""
        following = new_token()
        rotation = await self._sign_ins.rotate(
            digest(refresh_token), digest(following), self._clock() + self._refresh_seconds
        )
        if rotation.outcome != "rotated":
            if rotation.outcome == "reused":
                self._authenticator.forget(rotation.user_id)
            code, message = REFUSED_REFRESH[rotation.outcome]
            raise Unauthenticated(message, code=code)
        user = await self._users.get(rotation.user_id)
        if user is None or user.disabled:
            raise Unauthenticated("The account was disabled", code="token_revoked")
        return self._pair(user, rotation.family, following)

    async def sign_out(self, actor: Actor | None, refresh_token: str | None) -> None:
        """End the sign-in that the actor or the refresh token belongs to. Ending twice changes nothing."""
        presented = await self._sign_ins.family_of(digest(refresh_token)) if refresh_token else None
        for family in {actor.session if actor else None, presented}:
            if family is not None:
                await self._sign_ins.revoke(family=family)
        if actor is not None:
            self._authenticator.forget(actor.user_id)

    async def make_link(self, user_id: str) -> str:
        """Return the token of a new one-time link; it replaces any unused one of the user."""
        token = new_token()
        await self._sign_ins.add_link(user_id, digest(token), self._clock() + LINK_SECONDS)
        return token

    async def create(
        self,
        email: str,
        *,
        name: str = "",
        role: GlobalRole = "member",
        password: str | None = None,
    ) -> UserRecord:
        """Add an account. Raises Conflict when the address is taken."""
        password_hash = await self.hash_password(password) if password is not None else None
        return await self._users.create(email, name=name, role=role, password_hash=password_hash)

    async def get(self, user_id: str) -> UserRecord:
        """Return an account. Raises NotFound."""
        return await self._users.require(user_id)

    async def find(self) -> list[UserRecord]:
        """Return all accounts, by email address."""
        return await self._users.find()

    async def set_password(
        self, actor: Actor, user_id: str, password: str, current: str | None
    ) -> None:
        """Set one's own password and end one's other sign-ins.

        Raises Forbidden unless ``current`` is the present one; it may be left
        out while there is none.
        """
        user = await self._users.require(user_id)
        if user.password_hash is not None:
            self._attempts.note_email(user.email)
            if not await self._passwords.verify(user.password_hash, current or ""):
                raise Forbidden("The present password is wrong", code="wrong_password")
        await self.reset_password(actor, user_id, password)

    async def reset_password(self, actor: Actor, user_id: str, password: str) -> None:
        """Set anybody's password, and end their sign-ins but the one that asks."""
        await self._users.require(user_id)
        await self._users.update(user_id, password_hash=await self._passwords.hash(password))
        await self._sign_ins.revoke(user_id=user_id, keep=actor.session)
        self._authenticator.forget(user_id)

    async def change(
        self,
        user_id: str,
        *,
        name: str | None = None,
        role: GlobalRole | None = None,
        disabled: bool | None = None,
    ) -> UserRecord:
        """Change an account. Raises Conflict when no administrator would be left."""
        user = await self._users.require(user_id)
        demoted = user.role == "admin" and (role == "member" or disabled)
        if demoted and not await self._users.administrators(besides=user_id):
            raise Conflict("The server needs at least one administrator", code="last_administrator")
        changes: dict[str, object] = {}
        if name is not None:
            changes["name"] = name
        if role is not None:
            changes["role"] = role
        if disabled is not None and disabled != user.disabled:
            changes["disabled_at"] = self._clock() if disabled else None
            if disabled:
                await self._sign_ins.revoke(user_id=user_id)
        user = await self._users.update(user_id, **changes)
        self._authenticator.forget(user_id)
        return user

    async def ensure_administrator(self) -> UserRecord | None:
        """Create the first administrator when there is none, and return it; else None."""
        if await self._users.administrators() or await self._users.by_email(ADMINISTRATOR):
            return None
        return await self._users.create(ADMINISTRATOR, name="Administrator", role="admin")

    async def first_link(self) -> str | None:
        """Return a new sign-in link's token while no administrator has a password; else None."""
        unclaimed = await self._users.unclaimed_administrator()
        return await self.make_link(unclaimed.id) if unclaimed else None

    async def hash_password(self, password: str) -> str:
        """Return what is kept of a password."""
        return await self._passwords.hash(password)

    async def begin(self, user: UserRecord) -> SignIn:
        """Sign somebody in who has proved who they are."""
        token = new_token()
        family = await self._sign_ins.begin(
            user.id, digest(token), self._clock() + self._refresh_seconds
        )
        return self._pair(user, family, token)

    def _pair(self, user: UserRecord, session: str, refresh_token: str) -> SignIn:
        return SignIn(
            user=user,
            session=session,
            access_token=self._tokens.issue(user.id, session),
            refresh_token=refresh_token,
            expires_in=self._tokens.seconds,
            refresh_expires_in=int(self._refresh_seconds),
        )
