"""Accounts and API keys: administrators manage, everybody has their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.services.house import PASSWORD, house

pytestmark = pytest.mark.anyio


async def test_an_administrator_makes_changes_and_disables_accounts(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        root = await h.person("root", role="admin")
        made = await root.post("/v1/users", {"email": "Ada@Example.org", "password": PASSWORD})
        assert made.status == 201
        assert (made.body["email"], made.body["link"]) == ("ada@example.org", None)
        path = f"/v1/users/{made.body['id']}"
        listed = await root.get("/v1/users")
        assert "ada@example.org" in {each["email"] for each in listed.body["items"]}
        changed = await root.patch(path, {"name": "Ada", "role": "admin"})
        assert (changed.body["name"], changed.body["role"]) == ("Ada", "admin")
        form = {"email": "ada@example.org", "password": PASSWORD}
        assert (await h.stranger().post("/v1/auth/login", form)).status == 200
        assert (await root.delete(path)).body["disabled"] is True
        assert (await h.stranger().post("/v1/auth/login", form)).status == 401
        assert (await root.patch(path, {"disabled": False})).body["disabled"] is False
        assert (await root.patch(path, {"password": "battery staple"})).status == 200
        form["password"] = "battery staple"
        assert (await h.stranger().post("/v1/auth/login", form)).status == 200


async def test_an_account_without_a_password_gets_a_link(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        root = await h.person("root", role="admin")
        made = await root.post("/v1/users", {"email": "ada@example.org"})
        token = made.body["link"].rpartition("/#/link/")[2]
        signed_in = await h.stranger().post("/v1/auth/link", {"token": token})
        assert signed_in.body["user"]["email"] == "ada@example.org"
        again = await root.post(f"/v1/users/{made.body['id']}/link")
        assert again.status == 201


async def test_an_address_is_taken_once_and_must_be_one(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        root = await h.person("root", role="admin")
        answer = await root.post("/v1/users", {"email": "root@example.org"})
        assert (answer.status, answer.code) == (409, "email_taken")
        assert (await root.post("/v1/users", {"email": "no address"})).status == 400
        assert (await root.get("/v1/users/nobody")).status == 404


async def test_the_last_administrator_cannot_be_lost(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        root = await h.person("root", role="admin")
        assert root.user is not None
        for each in await h.parts.identity.accounts.find():
            if each.id != root.user.id:
                await h.parts.identity.accounts.change(each.id, disabled=True)
        answer = await root.patch(f"/v1/users/{root.user.id}", {"role": "member"})
        assert (answer.status, answer.code) == (409, "last_administrator")


async def test_a_member_sees_their_own_account_only(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        assert ada.user is not None
        assert grace.user is not None
        assert (await ada.get(f"/v1/users/{ada.user.id}")).status == 200
        refused = [
            await ada.get(f"/v1/users/{grace.user.id}"),
            await ada.get("/v1/users"),
            await ada.post("/v1/users", {"email": "x@example.org"}),
            await ada.patch(f"/v1/users/{ada.user.id}", {"role": "admin"}),
            await ada.delete(f"/v1/users/{grace.user.id}"),
            await ada.post(f"/v1/users/{grace.user.id}/link"),
        ]
        assert {(each.status, each.code) for each in refused} == {(403, "forbidden")}


async def test_a_key_is_shown_once_and_works_until_revoked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.signed_in("ada")
        made = await ada.post("/v1/api-keys", {"name": "laptop"})
        assert made.status == 201
        key = made.body["key"]
        assert key.startswith(made.body["prefix"])
        listed = (await ada.get("/v1/api-keys")).body["items"]
        assert key not in str(listed)
        assert "laptop" in {each["name"] for each in listed}
        headers = {"Authorization": f"Bearer {key}"}
        assert (await h.stranger().get("/v1/auth/me", headers=headers)).status == 200
        another = await h.stranger().post("/v1/api-keys", {}, headers=headers)
        assert (another.status, another.code) == (403, "forbidden")
        assert (await ada.delete(f"/v1/api-keys/{made.body['id']}")).status == 200
        answer = await h.stranger().get("/v1/auth/me", headers=headers)
        assert (answer.status, answer.code) == (401, "token_revoked")


async def test_nobody_revokes_the_key_of_another(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.signed_in("ada"), await h.person("grace")
        key = (await ada.post("/v1/api-keys", {})).body["id"]
        assert (await grace.delete(f"/v1/api-keys/{key}")).status == 404
