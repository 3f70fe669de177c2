"""``spellwork secrets rotate``: all secrets under a new key, beside a server that may be running."""

from __future__ import annotations

import asyncio

from spellwork_server.errors import Conflict
from spellwork_server.grants.vault import Vault, add_key, drop_old_keys
from spellwork_server.settings import Settings
from spellwork_server.storage.database import Database
from spellwork_server.storage.secrets import SecretRecords
from spellwork_server.storage.triggers import TriggerRecords
from spellwork_server.storage.upgrade import upgrade


def rotate(settings: Settings) -> int:
    """Encrypt every secret under a new key and drop the old ones; return how many there are.

    With a key of the operator's own (``secrets_key``) the new one is the first of those given.

    Raises:
        UnknownKeyError: one of them cannot be read; all others are under the new key, and no key is dropped.
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
        records = SecretRecords(database)
        for record in await records.all():
            if not vault.is_current(record.value):
                sealed = vault.encrypt(record.id, vault.decrypt(record.id, record.value))
                await records.reseal(record.id, record.value, sealed)
        found = await records.all()
        hooks = await _rotate_hooks(TriggerRecords(database), vault)
    if not all(map(vault.is_current, [*(record.value for record in found), *hooks])):
        raise Conflict("A secret was replaced meanwhile; run this again")
    if key is None:
        drop_old_keys(settings.data)
    return len(found)


async def _rotate_hooks(records: TriggerRecords, vault: Vault) -> list[bytes]:
    """Put the secrets of webhooks under the new key; return them as they are then."""
    for record in await records.sealed():
        if record.sealed is not None and not vault.is_current(record.sealed):
            sealed = vault.encrypt(record.id, vault.decrypt(record.id, record.sealed))
            await records.reseal(record.id, record.sealed, sealed)
    return [record.sealed for record in await records.sealed() if record.sealed is not None]
