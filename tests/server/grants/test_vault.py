"""Secrets at rest: what is kept says nothing, belongs to one secret, and outlives a change of keys."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import urllib.parse
from pathlib import Path

import pytest
from pydantic import SecretStr

from spellwork_server.commands.secret_keys import rotate
from spellwork_server.grants.masking import Masks
from spellwork_server.grants.vault import UnknownKeyError, Vault
from spellwork_server.settings import Settings
from spellwork_server.storage.database import Database
from spellwork_server.storage.secrets import SecretRecords
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords

VALUE = "correct-horse/battery+staple?"
OWN = "x" * 40


@pytest.mark.rule("K2")
def test_a_value_is_sealed_to_its_id_and_its_key_is_the_servers_alone(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path)
    sealed = vault.encrypt("one", VALUE)
    assert VALUE.encode() not in sealed
    assert sealed != vault.encrypt("one", VALUE)
    assert Vault.open(tmp_path).decrypt("one", sealed) == VALUE
    assert stat.S_IMODE((tmp_path / "secrets.key").stat().st_mode) == 0o600
    with pytest.raises(UnknownKeyError):
        vault.decrypt("other", sealed)
    with pytest.raises(UnknownKeyError):
        vault.decrypt("one", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(UnknownKeyError):
        Vault.open(tmp_path, OWN).decrypt("one", sealed)


@pytest.mark.rule("K2")
def test_a_key_of_the_operators_takes_older_ones_after_it(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path, OWN).encrypt("one", VALUE)
    both = Vault.open(tmp_path, f"{'y' * 40},{OWN}")
    assert both.decrypt("one", sealed) == VALUE
    assert not both.is_current(sealed)
    with pytest.raises(ValueError, match="32 random characters"):
        Vault.open(tmp_path, "short")
    assert not (tmp_path / "secrets.key").exists()


@pytest.mark.rule("K2")
@pytest.mark.parametrize("own", [False, True])
def test_rotating_leaves_every_secret_readable_under_the_new_key_alone(
    tmp_path: Path, own: bool
) -> None:
    settings = Settings(data=tmp_path, secrets_key=SecretStr(OWN) if own else None)
    before = Vault.open(tmp_path, OWN if own else None)

    async def keep() -> list[str]:
        async with Database(settings.database) as database:
            await upgrade(database)
            user = await UserRecords(database).create(
                "ada@example.org", name="", role="member", password_hash=None
            )
            records = SecretRecords(database)
            for name in ("one", "two"):
                await records.create(name, lambda id: before.encrypt(id, VALUE), user_id=user.id)
            return []

    async def kept() -> list[tuple[str, bytes]]:
        async with Database(settings.database) as database:
            return [(each.id, each.value) for each in await SecretRecords(database).all()]

    asyncio.run(keep())
    if own:
        settings = Settings(data=tmp_path, secrets_key=SecretStr(f"{'y' * 40},{OWN}"))
    assert rotate(settings) == 2
    after = Vault.open(tmp_path, "y" * 40 if own else None)
    for id, sealed in asyncio.run(kept()):
        assert after.decrypt(id, sealed) == VALUE
        with pytest.raises(UnknownKeyError):
            before.decrypt(id, sealed)


@pytest.mark.rule("K6")
def test_a_secret_is_masked_however_it_is_written() -> None:
    masks = Masks()
    masks.add(VALUE)
    for text in (
        VALUE,
        urllib.parse.quote(VALUE, safe=""),
        urllib.parse.quote_plus(VALUE),
        json.dumps({"a": VALUE}),
        VALUE.encode().hex(),
        *(
            base64.b64encode(before + VALUE.encode() + b"!").decode()
            for before in (b"", b"u:", b"u")
        ),
    ):
        masked = masks.text(f"<{text}>")
        assert "***" in masked, text
        assert "battery" not in masked
    assert masks.plain({"a": [f"x{VALUE}", 1, None]}) == {"a": ["x***", 1, None]}
    plain = "nothing in it"
    assert masks.plain(plain) is plain
