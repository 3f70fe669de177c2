"""Signing in and out over HTTP: tokens in the answer, refresh in a cookie that only its routes get."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from tests.server.services.house import PASSWORD, Caller, House, house

pytestmark = pytest.mark.anyio


async def sign_in(h: House, caller: Caller, name: str = "ada") -> Any:
    form = {"email": f"{name}@example.org", "password": PASSWORD}
    answer = await caller.post("/v1/auth/login", form)
    assert answer.status == 200, answer.body
    return answer


def cookies(answer: Any) -> SimpleCookie:
    found = SimpleCookie()
    for header in answer.headers.getall("Set-Cookie", []):
        found.load(header)
    return found


async def test_signing_in_gives_a_token_and_two_cookies(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.person("ada", password=PASSWORD)
        caller = h.stranger()
        answer = await sign_in(h, caller)
        assert answer.body["token_type"] == "bearer"
        assert answer.body["expires_in"] == 900
        assert answer.body["user"]["email"] == "ada@example.org"
        assert "password_hash" not in answer.body["user"]
        assert "refresh" not in str(answer.body)
        found = cookies(answer)
        for name, path in (("spellwork_refresh", "/v1/auth"), ("spellwork_session", "/")):
            assert found[name]["path"] == path
            assert found[name]["httponly"]
            assert found[name]["samesite"] == "Strict"
        headers = {"Authorization": f"Bearer {answer.body['access_token']}"}
        me = await h.stranger().get("/v1/auth/me", headers=headers)
        assert me.body["email"] == "ada@example.org"


async def test_a_browser_is_known_by_its_cookie_from_its_own_origin_only(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.person("ada", password=PASSWORD)
        caller = h.stranger()
        await sign_in(h, caller)
        assert (await caller.get("/v1/auth/me")).status == 200
        own = {"Origin": h.origin, "Sec-Fetch-Site": "same-origin"}
        assert (await caller.post("/v1/canvases", {"name": "x"}, headers=own)).status == 201
        for evil in ({"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await caller.post("/v1/canvases", {"name": "x"}, headers=evil)
            assert (answer.status, answer.code) == (403, "origin_refused")


async def test_wrong_credentials_are_refused_without_saying_which(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.person("ada", password=PASSWORD)
        caller = h.stranger()
        answers = [
            await caller.post("/v1/auth/login", {"email": email, "password": password})
            for email, password in (
                ("ada@example.org", "wrong"),
                ("nobody@example.org", PASSWORD),
            )
        ]
        assert [each.status for each in answers] == [401, 401]
        assert answers[0].body == answers[1].body


async def test_guessing_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with house(tmp_path, sign_in_attempts=2) as h:
        caller = h.stranger()
        form = {"email": "ada@example.org", "password": "wrong"}
        for _ in range(2):
            assert (await caller.post("/v1/auth/login", form)).status == 401
        answer = await caller.post("/v1/auth/login", form)
        assert (answer.status, answer.code) == (429, "rate_limited")
        wait = answer.body["error"]["details"]["retry_after"]
        assert 1 <= wait <= 60
        assert answer.headers["Retry-After"] == str(wait)


async def test_the_cookie_is_exchanged_and_each_is_taken_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.person("ada", password=PASSWORD)
        caller = h.stranger()
        old = cookies(await sign_in(h, caller))["spellwork_refresh"].value
        answer = await caller.post("/v1/auth/refresh")
        assert answer.status == 200
        assert cookies(answer)["spellwork_refresh"].value != old
        token = (await caller.post("/v1/auth/refresh")).body["access_token"]
        thief = h.stranger()
        stolen = await thief.post(
            "/v1/auth/refresh", headers={"Cookie": f"spellwork_refresh={old}"}
        )
        assert (stolen.status, stolen.code) == (401, "token_revoked")
        headers = {"Authorization": f"Bearer {token}"}
        revoked = await h.stranger().get("/v1/auth/me", headers=headers)
        assert (revoked.status, revoked.code) == (401, "token_revoked")


async def test_refreshing_without_a_cookie_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        answer = await h.stranger().post("/v1/auth/refresh")
        assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_signing_out_forgets_cookies_and_revokes_the_token(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.person("ada", password=PASSWORD)
        caller = h.stranger()
        token = (await sign_in(h, caller)).body["access_token"]
        answer = await caller.post("/v1/auth/logout")
        assert answer.status == 200
        assert {each["max-age"] for each in cookies(answer).values()} == {"0"}
        assert (await caller.get("/v1/auth/me")).status == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert (await h.stranger().get("/v1/auth/me", headers=headers)).code == "token_revoked"


async def test_a_link_signs_in_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        token = await h.parts.identity.accounts.first_link()
        caller = h.stranger()
        answer = await caller.post("/v1/auth/link", {"token": token})
        assert answer.body["user"]["role"] == "admin"
        assert answer.body["user"]["has_password"] is False
        assert (await caller.post("/v1/auth/link", {"token": token})).code == "link_invalid"


async def test_a_person_names_themself_and_sets_a_password(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        assert (await ada.put("/v1/auth/password", {"password": PASSWORD})).status == 403
        assert ada.user is not None
        link = await h.parts.identity.accounts.make_link(ada.user.id)
        ada.token = (await ada.post("/v1/auth/link", {"token": link})).body["access_token"]
        assert (await ada.patch("/v1/auth/me", {"name": "Ada L."})).body["name"] == "Ada L."
        assert (await ada.patch("/v1/auth/me", {"role": "admin"})).status == 400
        assert (await ada.put("/v1/auth/password", {"password": "short"})).status == 400
        assert (await ada.put("/v1/auth/password", {"password": PASSWORD})).status == 200
        answer = await ada.put("/v1/auth/password", {"password": "battery staple"})
        assert (answer.status, answer.code) == (403, "wrong_password")
        await sign_in(h, h.stranger())


async def test_an_expired_token_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada", password=PASSWORD)
        tokens = h.parts.identity.authenticator._tokens
        assert ada.user is not None
        tokens.seconds = -1
        ada.token = tokens.issue(ada.user.id, "family")
        answer = await ada.get("/v1/auth/me")
        assert (answer.status, answer.code) == (401, "token_expired")
