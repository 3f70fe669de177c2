"""Making API keys."""

from __future__ import annotations

from spellwork_server.storage.api_keys import ApiKeyRecord, ApiKeyRecords

from .secrets import SHOWN, digest, new_api_key


async def make_api_key(records: ApiKeyRecords, user_id: str, name: str) -> tuple[ApiKeyRecord, str]:
    """Make a key for a user; return what is kept, and the key, which is not."""
    key = new_api_key()
    return await records.create(user_id, name, key[:SHOWN], digest(key)), key
