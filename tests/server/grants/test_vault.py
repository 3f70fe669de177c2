"""Secrets at rest: what is kept says nothing, belongs to one secret, and outlives a change of keys."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import stat
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from spellwork_server.commands.secret_keys import rotate
from spellwork_server.grants.masking import Masks
from spellwork_server.grants.vault import UnknownKeyError, Vault
from spellwork_server.packs.objects import ObjectConfigs
from spellwork_server.settings import Settings
from spellwork_server.storage.database import Database
from spellwork_server.storage.packs import PackRecord, PackRecords
from spellwork_server.storage.sealed import SealedRecords
from spellwork_server.storage.secrets import SecretRecords
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords
from tests.seeds import examples

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
            configured = ObjectConfigs(lambda: before).changed(
                PackRecord("", "local", "spellwork-crm"), "crm.store", {"whole": {"key": VALUE}}
            )
            await PackRecords(database).put(configured)
            return []

    async def kept() -> tuple[list[tuple[str, bytes]], list[PackRecord]]:
        async with Database(settings.database) as database:
            return await SealedRecords(database).all(), await PackRecords(database).all()

    asyncio.run(keep())
    if own:
        settings = Settings(data=tmp_path, secrets_key=SecretStr(f"{'y' * 40},{OWN}"))
    assert rotate(settings) == 3
    after = Vault.open(tmp_path, "y" * 40 if own else None)
    everything, packs = asyncio.run(kept())
    assert len(everything) == 3
    for bound, sealed in everything:
        assert VALUE in after.decrypt(bound, sealed)
        with pytest.raises(UnknownKeyError):
            before.decrypt(bound, sealed)
    configs = ObjectConfigs(lambda: after)
    configs.read("local", packs)
    assert configs.of("local", "crm.store") == {"key": VALUE}


@pytest.mark.rule("K2")
def test_rotating_changes_nothing_where_one_value_cannot_be_read(tmp_path: Path) -> None:
    settings, vault = Settings(data=tmp_path), Vault.open(tmp_path)
    lost = PackRecord(
        "", "local", "spellwork-crm", sealed=Vault.open(tmp_path, OWN).encrypt("x", "y")
    )

    async def keep() -> list[tuple[str, bytes]]:
        async with Database(settings.database) as database:
            await upgrade(database)
            user = await UserRecords(database).create(
                "ada@example.org", name="", role="member", password_hash=None
            )
            records = SecretRecords(database)
            await records.create("one", lambda id: vault.encrypt(id, VALUE), user_id=user.id)
            await PackRecords(database).put(lost)
            return await SealedRecords(database).all()

    async def kept() -> list[tuple[str, bytes]]:
        async with Database(settings.database) as database:
            return await SealedRecords(database).all()

    before = asyncio.run(keep())
    with pytest.raises(UnknownKeyError):
        rotate(settings)
    assert asyncio.run(kept()) == before
    assert Vault.open(tmp_path).decrypt(*before[0]) == VALUE


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


ESCAPES = (
    lambda sign: sign,
    lambda sign: "".join(f"%{byte:02X}" for byte in sign.encode()),
    lambda sign: json.dumps(sign)[1:-1],
    lambda sign: f"&#{ord(sign)};",
    lambda sign: f"&#x{ord(sign):x};",
    html.escape,
)
JSON = 2
"""The place of JSON's own among them."""


@pytest.mark.rule("K6")
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=6, max_size=20),
    st.lists(st.integers(0, len(ESCAPES) - 1), min_size=20, max_size=20),
    st.sampled_from(["", "%41", "\\u00e9 ", "&amp;&#1;", "é%"]),
)
@settings(max_examples=examples(100), deadline=None)
def test_what_stands_around_a_secret_stays(secret: str, ways: list[int], around: str) -> None:
    masks = Masks()
    masks.add(secret)
    # Whoever writes one sign as JSON does writes a backslash so too: bare, it would begin another sign.
    used = ways[: len(secret)]
    ways = [
        JSON if sign == "\\" and JSON in used else way
        for way, sign in zip(used, secret, strict=True)
    ]
    written = "".join(ESCAPES[way](sign) for way, sign in zip(ways, secret, strict=True))
    before, after = f"{around}<<", f">>{around}"
    assume(secret not in f"{before}***{after}")
    assert masks.text(before + written + after) == f"{before}***{after}"


@pytest.mark.rule("K6")
def test_the_longest_secret_is_masked_in_the_longest_text() -> None:
    masks = Masks()
    masks.add("aB" * 8_000 + "x")  # nearly everywhere in what follows, and only once there
    text = "aB" * 1_000_000
    assert masks.text(text) == text
    assert masks.text(f"{text}x")[-10:] == "BaBaBaB***"
