"""``spellwork secrets rotate``: all secrets under a new key, beside a server that may be running."""

from __future__ import annotations

import asyncio

from spellwork_server.errors import Conflict
from spellwork_server.grants.vault import Vault, add_key, drop_old_keys
from spellwork_server.settings import Settings
from spellwork_server.storage.database import Database
from spellwork_server.storage.sealed import SealedRecords
from spellwork_server.storage.upgrade import upgrade


def rotate(settings: Settings) -> int:
    """Encrypt all that is sealed (secrets, those of webhooks, configurations of packs) under a new key, and drop the old ones.

    Return how many there are. With a key of the operator's own (``secrets_key``) the new one is the first of those given.

    Raises:
        UnknownKeyError: one of them cannot be read; none is changed, and no key is dropped.
        Conflict: one was written under an old key meanwhile; no key is dropped.
    """
    return asyncio.run(_rotate(settings))


async def _rotate(settings: Settings) -> int:
    key = settings.secrets_key
    if key is None:
        add_key(settings.data)
    vault = Vault.open(settings.data, None if key is None else key.get_secret_value())
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with Database(settings.database) as database:
        await upgrade(database)
        records = SealedRecords(database)
        await records.reseal(lambda bound, value: _sealed_anew(vault, bound, value))
        found = await records.all()
    if not all(vault.is_current(value) for _, value in found):
        raise Conflict("A secret was replaced meanwhile; run this again")
    if key is None:
        drop_old_keys(settings.data)
    return len(found)


def _sealed_anew(vault: Vault, bound: str, value: bytes) -> bytes:
    return value if vault.is_current(value) else vault.encrypt(bound, vault.decrypt(bound, value))
