"""Tell who is behind an access token or an API key, now."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from spellwork_server.errors import StoreUnavailable, Unauthenticated
from spellwork_server.storage.api_keys import ApiKeyRecord, ApiKeyRecords
from spellwork_server.storage.sign_ins import SignInRecords
from spellwork_server.storage.users import UserRecords

from .actor import Actor
from .secrets import API_KEY_PREFIX, digest
from .tokens import AccessTokens

BELIEVED_SECONDS = 2.0
"""How long what the database said is believed. A revocation in this process
counts at once; one by another process after this time."""

MAX_BELIEVED = 10_000
TOUCH_SECONDS = 60.0
"""Least time between two notes that an API key was used."""

REFUSALS = {
    "token_invalid": "The API key is not one of this server's",
    "token_revoked": "This sign-in or API key was revoked; sign in again",
}


class Authenticator:
    """Proves actors against the database, with a small bounded cache before it.

    Every proof hangs on a sign-in or an API key; revoking that, or disabling
    the user, makes ``authenticate`` and ``current`` raise ``token_revoked``.
    """

    def __init__(
        self,
        tokens: AccessTokens,
        users: UserRecords,
        sign_ins: SignInRecords,
        api_keys: ApiKeyRecords,
    ) -> None:
        self._tokens = tokens
        self._users = users
        self._sign_ins = sign_ins
        self._api_keys = api_keys
        self._believed: OrderedDict[str, tuple[float, Actor]] = OrderedDict()
        self._changes = 0
        self._watchers: list[Callable[[str], None]] = []

    async def authenticate(self, token: str) -> Actor:
        """Return whose token or API key this is. Raises Unauthenticated with a code that says why not."""
        if token.startswith(API_KEY_PREFIX):
            key_hash = digest(token)
            return await self._believe(f"key:{key_hash}", lambda: self._by_key_hash(key_hash))
        claims = self._tokens.read(token)
        return await self._by_session(claims.user_id, claims.session)

    async def current(self, actor: Actor) -> Actor:
        """Return the actor as it is now, or raise Unauthenticated ``token_revoked``.

        For sockets: a proof that was good at connect stays good as long as its
        sign-in or key does, though its access token expires meanwhile.
        """
        if actor.session is not None:
            return await self._by_session(actor.user_id, actor.session)
        if actor.api_key is not None:
            key_id = actor.api_key
            return await self._believe(f"key-id:{key_id}", lambda: self._by_key_id(key_id))
        return actor

    def watch(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(user_id)`` when an account, sign-in or key of a user changes here."""
        self._watchers.append(callback)

    def forget(self, user_id: str) -> None:
        """Look again at everything of a user; called after any change of account, sign-in or key."""
        self._changes += 1
        stale = [key for key, (_, actor) in self._believed.items() if actor.user_id == user_id]
        for key in stale:
            del self._believed[key]
        for callback in self._watchers:
            callback(user_id)

    async def _believe(self, key: str, read: Callable[[], Awaitable[Actor]]) -> Actor:
        now, changes = time.monotonic(), self._changes
        known = self._believed.get(key)
        if known is not None and known[0] > now:
            return known[1]
        self._believed.pop(key, None)
        actor = await read()
        if changes != self._changes:  # what was read may be from before a change that counts by now
            return actor
        self._believed[key] = (now + BELIEVED_SECONDS, actor)
        if len(self._believed) > MAX_BELIEVED:
            self._believed.popitem(last=False)
        return actor

    async def _by_session(self, user_id: str, session: str) -> Actor:
        return await self._believe(
            f"session:{session}", lambda: self._read_session(user_id, session)
        )

    async def _read_session(self, user_id: str, session: str) -> Actor:
        if not await self._sign_ins.alive(session):
            raise _refusal("token_revoked")
        return await self._actor(user_id, session=session)

    async def _by_key_hash(self, key_hash: str) -> Actor:
        return await self._of_key(await self._api_keys.by_hash(key_hash))

    async def _by_key_id(self, key_id: str) -> Actor:
        return await self._of_key(await self._api_keys.get(key_id))

    async def _of_key(self, key: ApiKeyRecord | None) -> Actor:
        if key is None:
            raise _refusal("token_invalid")
        if key.revoked_at is not None:
            raise _refusal("token_revoked")
        actor = await self._actor(key.user_id, api_key=key.id)
        if key.last_used_at is None or time.time() - key.last_used_at > TOUCH_SECONDS:
            # Who may come in does not hang on the note that they did.
            with suppress(StoreUnavailable):
                await self._api_keys.touch(key.id)
        return actor

    async def _actor(
        self, user_id: str, *, session: str | None = None, api_key: str | None = None
    ) -> Actor:
        user = await self._users.get(user_id)
        if user is None or user.disabled:
            raise _refusal("token_revoked")
        return Actor(
            user_id=user.id,
            email=user.email,
            name=user.name,
            role=user.role,
            via="session" if api_key is None else "api_key",
            session=session,
            api_key=api_key,
        )


def _refusal(code: str) -> Unauthenticated:
    return Unauthenticated(REFUSALS[code], code=code)
