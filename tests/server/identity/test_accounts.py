"""Signing in and out: tokens hang on their sign-in, and end with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from spellwork_server.errors import Conflict, Forbidden, RateLimited, Unauthenticated
from spellwork_server.identity import Actor
from spellwork_server.identity.accounts import ADMINISTRATOR, Accounts
from spellwork_server.identity.attempts import Attempts
from spellwork_server.identity.authenticator import Authenticator
from spellwork_server.identity.keys import make_api_key
from spellwork_server.identity.passwords import Passwords
from spellwork_server.identity.tokens import AccessTokens
from spellwork_server.storage.api_keys import ApiKeyRecords
from spellwork_server.storage.sign_ins import SignInRecords
from spellwork_server.storage.users import UserRecord, UserRecords
from tests.server.storage.databases import opened

pytestmark = pytest.mark.anyio

EMAIL, PASSWORD = "ada@example.org", "correct horse"


@dataclass
class House:
    accounts: Accounts
    authenticator: Authenticator
    users: UserRecords
    keys: ApiKeyRecords


@asynccontextmanager
async def house(
    folder: Path, attempts: int = 100, kind: type[UserRecords] = UserRecords
) -> AsyncIterator[House]:
    async with opened("memory", folder) as database:
        users, sign_ins = kind(database), SignInRecords(database)
        keys = ApiKeyRecords(database)
        tokens = AccessTokens(b"k" * 32, 900)
        authenticator = Authenticator(tokens, users, sign_ins, keys)
        accounts = Accounts(
            users=users,
            sign_ins=sign_ins,
            tokens=tokens,
            authenticator=authenticator,
            passwords=Passwords(),
            attempts=Attempts(attempts, 1_000),
            refresh_days=30,
        )
        yield House(accounts, authenticator, users, keys)


async def refused(awaitable: object) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        await awaitable  # type: ignore[misc]
    return refusal.value.code


async def test_signing_in_proves_an_actor(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.accounts.create(EMAIL, password=PASSWORD)
        sign_in = await h.accounts.sign_in("Ada@Example.org", PASSWORD, "")
        actor = await h.authenticator.authenticate(sign_in.access_token)
        assert actor == Actor(ada.id, EMAIL, "ada", "member", "session", session=sign_in.session)
        assert await h.authenticator.current(actor) == actor


async def test_every_wrong_sign_in_is_refused_alike(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.accounts.create(EMAIL, password=PASSWORD)
        await h.accounts.create("nopass@example.org")
        codes = [
            await refused(h.accounts.sign_in(EMAIL, "wrong", "")),
            await refused(h.accounts.sign_in("nobody@example.org", PASSWORD, "")),
            await refused(h.accounts.sign_in("nopass@example.org", "", "")),
        ]
        other = await h.accounts.create("root@example.org", role="admin")
        assert other.role == "admin"
        await h.accounts.change(ada.id, disabled=True)
        codes.append(await refused(h.accounts.sign_in(EMAIL, PASSWORD, "")))
        assert set(codes) == {"wrong_credentials"}


async def test_guessing_a_password_is_cut_off(tmp_path: Path) -> None:
    async with house(tmp_path, attempts=3) as h:
        await h.accounts.create(EMAIL, password=PASSWORD)
        for _ in range(3):
            await refused(h.accounts.sign_in(EMAIL, "wrong", ""))
        with pytest.raises(RateLimited):
            await h.accounts.sign_in(EMAIL, PASSWORD, "")


async def test_refreshing_goes_on_with_the_same_sign_in(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.accounts.create(EMAIL, password=PASSWORD)
        first = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        second = await h.accounts.refresh(first.refresh_token)
        assert second.session == first.session
        assert second.refresh_token != first.refresh_token
        await h.authenticator.authenticate(second.access_token)


async def test_a_stolen_refresh_token_ends_the_sign_in_for_both(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.accounts.create(EMAIL, password=PASSWORD)
        first = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        second = await h.accounts.refresh(first.refresh_token)
        third = await h.accounts.refresh(second.refresh_token)
        await h.authenticator.authenticate(third.access_token)
        assert await refused(h.accounts.refresh(first.refresh_token)) == "token_revoked"
        assert await refused(h.accounts.refresh(third.refresh_token)) == "token_revoked"
        assert await refused(h.authenticator.authenticate(third.access_token)) == "token_revoked"


class Overtaken(UserRecords):
    """Accounts that are read just before something ends."""

    end: Callable[[], Awaitable[None]] | None = None

    async def get(self, user_id: str) -> UserRecord | None:
        found = await super().get(user_id)
        if self.end is not None:
            end, self.end = self.end, None
            await end()
        return found


async def test_what_was_read_while_a_sign_in_ended_is_not_believed(tmp_path: Path) -> None:
    async with house(tmp_path, kind=Overtaken) as h:
        assert isinstance(h.users, Overtaken)
        await h.accounts.create(EMAIL, password=PASSWORD)
        here = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        actor = Actor(here.user.id, EMAIL, "ada", "member", "session", session=here.session)
        h.users.end = lambda: h.accounts.sign_out(actor, here.refresh_token)
        await h.authenticator.authenticate(here.access_token)
        assert await refused(h.authenticator.authenticate(here.access_token)) == "token_revoked"


async def test_signing_out_revokes_at_once_and_only_this_sign_in(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.accounts.create(EMAIL, password=PASSWORD)
        here = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        there = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        actor = await h.authenticator.authenticate(here.access_token)
        await h.accounts.sign_out(actor, here.refresh_token)
        assert await refused(h.authenticator.authenticate(here.access_token)) == "token_revoked"
        assert await refused(h.authenticator.current(actor)) == "token_revoked"
        assert await refused(h.accounts.refresh(here.refresh_token)) == "token_revoked"
        await h.authenticator.authenticate(there.access_token)


async def test_disabling_an_account_ends_its_sign_ins_and_keys(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.accounts.create(EMAIL, password=PASSWORD)
        sign_in = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        _, key = await make_api_key(h.keys, ada.id, "")
        told: list[str] = []
        h.authenticator.watch(told.append)
        actors = [await h.authenticator.authenticate(each) for each in (sign_in.access_token, key)]
        await h.accounts.change(ada.id, disabled=True)
        assert told == [ada.id]
        for proof, actor in zip((sign_in.access_token, key), actors, strict=True):
            assert await refused(h.authenticator.authenticate(proof)) == "token_revoked"
            assert await refused(h.authenticator.current(actor)) == "token_revoked"
        assert await refused(h.accounts.refresh(sign_in.refresh_token)) == "token_revoked"


async def test_an_api_key_acts_for_its_user_until_revoked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.accounts.create(EMAIL)
        record, key = await make_api_key(h.keys, ada.id, "laptop")
        actor = await h.authenticator.authenticate(key)
        assert (actor.user_id, actor.via, actor.api_key) == (ada.id, "api_key", record.id)
        used = await h.keys.get(record.id)
        assert used is not None
        assert used.last_used_at is not None
        await h.keys.revoke(record.id)
        h.authenticator.forget(ada.id)
        assert await refused(h.authenticator.authenticate(key)) == "token_revoked"
        assert await refused(h.authenticator.authenticate("sw_never")) == "token_invalid"


async def test_a_change_of_role_counts_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.accounts.create("root@example.org", role="admin")
        ada = await h.accounts.create(EMAIL, password=PASSWORD, role="admin")
        sign_in = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        assert (await h.authenticator.authenticate(sign_in.access_token)).is_admin
        await h.accounts.change(ada.id, role="member")
        assert not (await h.authenticator.authenticate(sign_in.access_token)).is_admin


async def test_the_last_administrator_stays_one(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        root = await h.accounts.create("root@example.org", role="admin")
        with pytest.raises(Conflict):
            await h.accounts.change(root.id, role="member")
        with pytest.raises(Conflict):
            await h.accounts.change(root.id, disabled=True)
        await h.accounts.change(root.id, name="Root", role="admin", disabled=False)


async def test_changing_ones_password_needs_the_present_one_and_ends_other_sign_ins(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada = await h.accounts.create(EMAIL, password=PASSWORD)
        here = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        there = await h.accounts.sign_in(EMAIL, PASSWORD, "")
        actor = await h.authenticator.authenticate(here.access_token)
        for wrong in (None, "wrong"):
            with pytest.raises(Forbidden):
                await h.accounts.set_password(actor, ada.id, "battery staple", wrong)
        await h.accounts.set_password(actor, ada.id, "battery staple", PASSWORD)
        await h.authenticator.authenticate(here.access_token)
        assert await refused(h.authenticator.authenticate(there.access_token)) == "token_revoked"
        assert await refused(h.accounts.sign_in(EMAIL, PASSWORD, "")) == "wrong_credentials"
        await h.accounts.sign_in(EMAIL, "battery staple", "")


async def test_the_first_administrator_signs_in_by_a_link_used_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await h.accounts.first_link() is None
        root = await h.accounts.ensure_administrator()
        assert root is not None
        assert (root.email, root.role) == (ADMINISTRATOR, "admin")
        assert await h.accounts.ensure_administrator() is None
        token = await h.accounts.first_link()
        assert token is not None
        sign_in = await h.accounts.sign_in_by_link(token, "")
        assert (await h.authenticator.authenticate(sign_in.access_token)).is_admin
        assert await refused(h.accounts.sign_in_by_link(token, "")) == "link_invalid"
        assert await h.accounts.first_link() is not None, "there is no password yet"
        await h.accounts.reset_password(
            await h.authenticator.authenticate(sign_in.access_token), root.id, PASSWORD
        )
        assert await h.accounts.first_link() is None
