"""Accounts and API keys from the command line, beside a server that may be running."""

from __future__ import annotations

import asyncio
from typing import cast

from spellwork_server.errors import BadRequest, NotFound
from spellwork_server.identity.actor import GlobalRole
from spellwork_server.identity.keys import make_api_key
from spellwork_server.identity.passwords import Passwords
from spellwork_server.settings import Settings
from spellwork_server.storage.api_keys import ApiKeyRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords


def add_account(settings: Settings, email: str, *, password: str, role: str, name: str) -> None:
    """Add an account. Raises Conflict when the address is taken."""
    local, at, domain = email.strip().partition("@")
    if not (local and at and domain) or any(each.isspace() for each in local + domain):
        raise BadRequest.field("EMAIL", f"{email!r} is not an email address", "NAME@HOST")
    if not password:
        raise BadRequest.field("--password", "is empty", "one character or more")
    asyncio.run(_add_account(settings, email, password, cast("GlobalRole", role), name))


def make_key(settings: Settings, email: str, name: str) -> str:
    """Return a new API key of the account. Raises NotFound."""
    return asyncio.run(_make_key(settings, email, name))


async def _add_account(
    settings: Settings, email: str, password: str, role: GlobalRole, name: str
) -> None:
    password_hash = await Passwords().hash(password)
    async with _database(settings) as database:
        await upgrade(database)
        await UserRecords(database).create(email, name=name, role=role, password_hash=password_hash)


async def _make_key(settings: Settings, email: str, name: str) -> str:
    async with _database(settings) as database:
        await upgrade(database)
        user = await UserRecords(database).by_email(email)
        if user is None or user.disabled:
            raise NotFound(
                f"There is no account for {email}; add it with: spellwork user add {email}"
            )
        _, key = await make_api_key(ApiKeyRecords(database), user.id, name)
        return key


def _database(settings: Settings) -> Database:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Database(settings.database)
