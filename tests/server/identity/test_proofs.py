"""Passwords, tokens, keys and origins: each proves what it says, and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from spellwork_server.errors import RateLimited, Unauthenticated
from spellwork_server.identity.attempts import Attempts
from spellwork_server.identity.origin import origin_allowed
from spellwork_server.identity.passwords import Passwords
from spellwork_server.identity.secrets import new_api_key, signing_key
from spellwork_server.identity.tokens import AccessTokens
from spellwork_server.settings import Settings

pytestmark = pytest.mark.anyio

KEY = b"k" * 32


async def test_a_password_matches_its_own_hash_only() -> None:
    passwords = Passwords()
    kept = await passwords.hash("correct horse")
    assert kept.startswith("$argon2id$")
    assert await passwords.verify(kept, "correct horse")
    assert not await passwords.verify(kept, "wrong horse")
    assert not await passwords.verify(None, "correct horse")
    assert not await passwords.verify("not a hash", "correct horse")


def test_an_access_token_says_whose_it_is() -> None:
    tokens = AccessTokens(KEY, 60)
    claims = tokens.read(tokens.issue("ada", "family"))
    assert (claims.user_id, claims.session) == ("ada", "family")


def test_an_access_token_ends_with_its_time() -> None:
    now = 1_000_000.0
    tokens = AccessTokens(KEY, 60, clock=lambda: now)
    token = tokens.issue("ada", "family")
    now += 61
    with pytest.raises(Unauthenticated) as refusal:
        tokens.read(token)
    assert refusal.value.code == "token_expired"


def forged(claims: dict, header: dict | None = None, key: bytes = KEY) -> str:
    return jwt.encode(header or {"alg": "HS256"}, claims, OctKey.import_key(key))


GOOD = {"iss": "spellwork", "sub": "ada", "sid": "family", "exp": 9_999_999_999}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "rubbish",
        "a.b.c",
        "ümläut",
        forged(GOOD, key=b"x" * 32),
        forged(GOOD | {"iss": "somebody else"}),
        forged({name: value for name, value in GOOD.items() if name != "exp"}),
        forged(GOOD | {"exp": "tomorrow"}),
        forged(GOOD | {"sub": 7}),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
    ],
    ids=[
        "empty",
        "no token",
        "no base64",
        "not ASCII",
        "another key",
        "another issuer",
        "no end",
        "an end that is no time",
        "a subject that is no text",
        "unsigned",
    ],
)
def test_a_token_that_is_not_ours_is_invalid(token: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        AccessTokens(KEY, 60).read(token)
    assert refusal.value.code == "token_invalid"


def test_the_signing_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = signing_key(folder)
    assert len(key) == 32
    assert signing_key(folder) == key
    path = folder / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    signing_key(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="at least 32 bytes"):
        signing_key(folder)


def test_api_keys_are_long_and_told_from_tokens_by_their_beginning() -> None:
    one, other = new_api_key(), new_api_key()
    assert one != other
    assert one.startswith("sw_")
    assert len(one) >= 43


def test_attempts_are_limited_by_account_and_by_address() -> None:
    attempts = Attempts(per_email=3, per_address=5)
    for _ in range(3):
        attempts.note("ada@example.org", "192.0.2.1")
    with pytest.raises(RateLimited) as refusal:
        attempts.note("ada@example.org", "192.0.2.2")
    assert 1 <= refusal.value.details["retry_after"] <= 60
    attempts.note("grace@example.org", "192.0.2.1")
    attempts.note("grace@example.org", "192.0.2.1")
    with pytest.raises(RateLimited):
        attempts.note("alan@example.org", "192.0.2.1")


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    attempts = Attempts(per_email=100, per_address=2)
    attempts.note("a@example.org", "2001:db8::1")
    attempts.note("b@example.org", "2001:db8::2")
    with pytest.raises(RateLimited):
        attempts.note("c@example.org", "2001:db8::3")


def test_an_account_whose_owner_came_in_starts_anew() -> None:
    attempts = Attempts(per_email=2, per_address=100)
    for _ in range(5):
        attempts.note("ada@example.org", "192.0.2.1")
        attempts.clear("ada@example.org")


HERE = {"Host": "127.0.0.1:8765"}


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        (HERE, True),
        (HERE | {"Origin": "http://127.0.0.1:8765"}, True),
        ({"Host": "spells.lan:9000", "Origin": "http://spells.lan:9000"}, True),
        ({"Host": "spells.lan", "Origin": "https://spells.lan"}, True),
        (HERE | {"Origin": "https://public.example.org"}, True),
        (HERE | {"Origin": "https://friend.example.org"}, True),
        (HERE | {"Origin": "http://127.0.0.1:9999"}, False),
        (HERE | {"Origin": "https://evil.example.org"}, False),
        (HERE | {"Origin": "https://friend.example.org.evil.example"}, False),
        (HERE | {"Origin": "null"}, False),
        (HERE | {"Origin": "file://"}, False),
        (HERE | {"Origin": "http://127.0.0.1:99999999"}, False),
        (HERE | {"Sec-Fetch-Site": "same-origin"}, True),
        (HERE | {"Sec-Fetch-Site": "cross-site"}, False),
        (HERE | {"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_a_page_may_call_only_where_it_came_from_or_is_listed(headers: dict, verdict: bool) -> None:
    settings = Settings(
        public_url="https://public.example.org/",
        allowed_origins=("https://friend.example.org",),
    )
    assert origin_allowed(headers, settings) is verdict
