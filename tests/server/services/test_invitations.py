"""Invitations and share links: who may make them, whom they let in, and when they stop (SPEC I)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.identity.secrets import digest
from tests.server.services.house import PASSWORD, Answer, Caller, House, house

pytestmark = pytest.mark.anyio

WEEK = 7 * 86_400
NEW = {"name": "Linus", "password": PASSWORD}


@dataclass
class Place:
    """Ada's canvas, with the server that it is on."""

    house: House
    ada: Caller
    path: str

    @property
    def canvas(self) -> str:
        return self.path.rpartition("/")[2]

    async def link(self, role: str = "editor", **more: Any) -> str:
        """Make a link or invitation; return its token."""
        return token_of(await self.invite(role=role, **more))

    async def invite(self, by: Caller | None = None, **fields: Any) -> Answer:
        return await (by or self.ada).post(f"{self.path}/invitations", fields)

    async def listed(self) -> list[dict[str, Any]]:
        return list((await self.ada.get(f"{self.path}/invitations")).body["items"])

    async def roles(self) -> dict[str, str]:
        members = (await self.ada.get(f"{self.path}/members")).body["items"]
        return {each["email"].partition("@")[0]: each["role"] for each in members}

    async def make(self, caller: Caller, role: str) -> None:
        """Give somebody a role, whatever they had."""
        assert caller.user is not None
        await self.ada.put(f"{self.path}/members", {"email": caller.user.email, "role": role})


@asynccontextmanager
async def place(folder: Path, **settings: Any) -> AsyncIterator[Place]:
    async with house(folder, **({"invite_new_people": "owners"} | settings)) as h:
        ada = await h.person("ada")
        made = await ada.post("/v1/canvases", {"name": "Birds"})
        yield Place(h, ada, f"/v1/canvases/{made.body['id']}")


def token_of(answer: Answer) -> str:
    assert answer.status == 201, answer.body
    return str(answer.body["link"].rpartition("/#/join/")[2])


async def accept(caller: Caller, token: str) -> Answer:
    return await caller.post("/v1/invitations/accept", {"token": token})


async def look(caller: Caller, token: str) -> Answer:
    return await caller.post("/v1/invitations/look", {"token": token})


async def join(caller: Caller, token: str, **fields: Any) -> Answer:
    return await caller.post("/v1/invitations/join", {"token": token, **NEW, **fields})


@pytest.mark.rule("I1")
async def test_only_owners_see_make_remake_and_revoke_invitations(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        await p.link()
        (kept,) = await p.listed()
        grace = await p.house.person("grace")
        one = f"{p.path}/invitations/{kept['id']}"
        for role in (None, "viewer", "runner", "editor"):
            if role:
                await p.make(grace, role)
            answers = (
                await grace.get(f"{p.path}/invitations"),
                await p.invite(grace, role="viewer"),
                await grace.post(f"{one}/link"),
                await grace.delete(one),
            )
            assert {(each.status, each.code) for each in answers} == {(403, "forbidden")}, role
        assert await p.listed() == [kept]
        await p.make(grace, "owner")
        assert (await grace.delete(one)).status == 200


@pytest.mark.rule("I2")
async def test_a_share_link_lets_in_whoever_has_an_account_with_its_role(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        token = await p.link("runner")
        grace, alan = await p.house.person("grace"), await p.house.person("alan")
        for each in (grace, alan):
            came = await accept(each, token)
            assert came.body == {"canvas": p.canvas, "role": "runner"}
            assert (await each.get(p.path)).body["role"] == "runner"
        (kept,) = await p.listed()
        assert (kept["uses"], kept["email"], kept["expires_at"], kept["state"]) == (
            2,
            None,
            None,
            "open",
        )


@pytest.mark.rule("I2")
@pytest.mark.parametrize("had", ["viewer", "runner", "editor", "owner"])
async def test_a_link_never_lowers_a_role_and_counts_only_whom_it_let_in(
    tmp_path: Path, had: str
) -> None:
    async with place(tmp_path) as p:
        grace = await p.house.person("grace")
        await p.make(grace, had)
        token = await p.link("runner")
        role = "runner" if had == "viewer" else had
        for _ in range(2):
            assert (await accept(grace, token)).body["role"] == role
        assert (await p.roles())["grace"] == role
        assert (await p.listed())[0]["uses"] == int(role != had)


@pytest.mark.rule("I3")
async def test_a_link_makes_no_owner(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        nobody: dict[str, Any] = {}
        for fields in (nobody, {"email": "linus@example.org"}):
            answer = await p.invite(role="owner", **fields)
            assert (answer.status, answer.code) == (400, "bad_request")
            assert answer.body["error"]["details"]["errors"][0]["field"] == "role"
        assert await p.listed() == []


@pytest.mark.rule("I4")
async def test_a_token_is_told_once_and_only_its_hash_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with place(tmp_path) as p:
        token = await p.link()
        assert len(token) == 43  # 32 random bytes
        assert token not in str((await p.ada.get(f"{p.path}/invitations")).body)
        await look(p.house.stranger(), token)
        await accept(await p.house.person("grace"), token)
        found = await p.house.parts.stores.invitations.of_canvas(p.canvas)
        assert [each.token_hash for each in found] == [digest(token)]
    stored = b"".join(each.read_bytes() for each in (tmp_path / "data").glob("spellwork.db*"))
    assert digest(token).encode() in stored
    assert token.encode() not in stored
    assert token not in caplog.text


@pytest.mark.rule("I5")
async def test_an_expired_link_lets_nobody_in(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        token = await p.link(expires_in=3600)
        now = p.house.parts.stores.invitations._clock()
        later(p, now + 3601)
        answer = await accept(await p.house.person("grace"), token)
        assert (answer.status, answer.code) == (404, "invitation_invalid")
        assert answer.body["error"]["details"] == {"reason": "expired"}
        assert (await look(p.house.stranger(), token)).body["error"]["details"] == {
            "reason": "expired"
        }
        assert [each["state"] for each in await p.listed()] == ["expired"]
        again = await p.ada.post(f"{p.path}/invitations/{(await p.listed())[0]['id']}/link")
        assert again.body["invitation"]["expires_at"] == pytest.approx(now + 2 * 3600, abs=5)
        assert (await accept(await p.house.person("alan"), token_of(again))).status == 200


@pytest.mark.rule("I5")
async def test_a_link_that_was_revoked_or_made_anew_stops(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        grace, alan = await p.house.person("grace"), await p.house.person("alan")
        first = await p.link("viewer")
        assert (await accept(grace, first)).status == 200
        (kept,) = await p.listed()
        one = f"{p.path}/invitations/{kept['id']}"
        second = token_of(await p.ada.post(f"{one}/link"))
        answer = await accept(alan, first)
        assert (answer.status, answer.body["error"]["details"]) == (404, {"reason": "unknown"})
        assert (await look(alan, second)).status == 200
        assert (await p.ada.delete(one)).status == 200
        answer = await accept(alan, second)
        assert (answer.status, answer.body["error"]["details"]) == (404, {"reason": "revoked"})
        assert await p.roles() == {"ada": "owner", "grace": "viewer"}
        assert await p.listed() == []
        for gone in (await p.ada.delete(one), await p.ada.post(f"{one}/link")):
            assert (gone.status, gone.code) == (404, "not_found")


@pytest.mark.rule("I6")
async def test_who_has_an_account_is_a_member_at_once_and_keeps_a_higher_role(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        await p.house.person("grace")
        made = await p.invite(role="editor", email=" GRACE@example.org ")
        assert made.body == {"member": "grace@example.org", "invitation": None, "link": None}
        await p.invite(role="viewer", email="grace@example.org")
        assert (await p.roles())["grace"] == "editor"
        await p.invite(role="owner", email="grace@example.org")
        assert (await p.roles())["grace"] == "owner"
        assert await p.listed() == []


@pytest.mark.rule("I7")
async def test_who_has_none_gets_a_link_for_seven_days_that_makes_the_account_once(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        made = await p.invite(role="editor", email="Linus@Example.org")
        kept = made.body["invitation"]
        assert (kept["email"], kept["by"], kept["uses"]) == ("linus@example.org", "ada", 0)
        assert kept["expires_at"] - kept["created_at"] == WEEK
        stranger = p.house.stranger()
        joined = await join(stranger, token_of(made))
        assert joined.status == 201, joined.body
        assert (joined.body["canvas"], joined.body["user"]["role"]) == (p.canvas, "member")
        assert (joined.body["user"]["email"], joined.body["user"]["name"]) == (
            "linus@example.org",
            "Linus",
        )
        stranger.token = joined.body["access_token"]
        assert (await stranger.get(p.path)).body["role"] == "editor"
        stranger.token = None
        refreshed = await stranger.post("/v1/auth/refresh", headers={"Origin": p.house.origin})
        assert refreshed.status == 200, "the page stays signed in by its cookie"
        entry = {"email": "linus@example.org", "password": PASSWORD}
        assert (await p.house.stranger().post("/v1/auth/login", entry)).status == 200
        assert await p.listed() == []
        again = await join(p.house.stranger(), token_of(made))
        assert (again.status, again.body["error"]["details"]) == (404, {"reason": "used"})


@pytest.mark.rule("I7")
async def test_a_name_and_a_good_password_are_needed_and_a_refusal_uses_nothing_up(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        token = await p.link(email="linus@example.org")
        for wrong in ({"name": " "}, {"password": "short"}, {"role": "admin"}):
            answer = await join(p.house.stranger(), token, **wrong)
            assert (answer.status, answer.code) == (400, "bad_request")
        assert (await join(p.house.stranger(), token)).status == 201


@pytest.mark.rule("I2")
async def test_a_share_link_makes_no_account(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        answer = await join(p.house.stranger(), await p.link())
        assert (answer.status, answer.code) == (400, "bad_request")
        assert "sign in" in answer.body["error"]["message"]


@pytest.mark.rule("I8")
async def test_an_invitation_is_for_its_address_alone(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        token = await p.link(email="linus@example.org")
        grace = await p.house.person("grace")
        answer = await accept(grace, token)
        assert (answer.status, answer.code) == (403, "invitation_for_another")
        assert answer.body["error"]["details"] == {
            "email": "linus@example.org",
            "mine": "grace@example.org",
        }
        assert "linus@example.org" in answer.body["error"]["message"]
        linus = await p.house.person("linus")  # made an account meanwhile
        taken = await join(p.house.stranger(), token)
        assert (taken.status, taken.code) == (409, "email_taken")
        assert (await look(p.house.stranger(), token)).body["account_needed"] is False
        assert (await accept(linus, token)).body["role"] == "editor"
        once = await accept(linus, token)
        assert once.body["error"]["details"] == {"reason": "used"}


@pytest.mark.rule("I9")
async def test_whoever_holds_an_invitation_may_look_at_it_and_learns_no_more(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        token = await p.link("viewer", email="linus@example.org")
        seen = await look(p.house.stranger(), token)
        assert seen.headers["Cache-Control"] == "no-store"
        facts = seen.body
        assert facts.pop("expires_at") > 0
        assert facts == {
            "canvas": "Birds",
            "role": "viewer",
            "by": "ada",
            "email": "linus@example.org",
            "account_needed": True,
        }
        link = await p.link("viewer")
        assert (await look(p.house.stranger(), link)).body["email"] is None
        for wrong in (token[:-1], token + "A", "x", p.canvas):
            answer = await look(p.house.stranger(), wrong)
            assert (answer.status, answer.body["error"]["details"]) == (404, {"reason": "unknown"})


@pytest.mark.rule("I9")
async def test_looking_accepting_and_joining_are_limited_like_signing_in(tmp_path: Path) -> None:
    async with place(tmp_path, sign_in_attempts_per_address=3) as p:
        grace = await p.house.person("grace")
        stranger = p.house.stranger()
        for _ in range(3):
            assert (await look(stranger, "guess")).status == 404
        for answer in (
            await look(stranger, "guess"),
            await join(stranger, "guess"),
            await accept(grace, "guess"),
        ):
            assert (answer.status, answer.code) == (429, "rate_limited")
            assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.rule("I10")
@pytest.mark.parametrize("loss", ["demoted", "removed", "disabled"])
async def test_what_somebody_made_is_void_while_they_are_no_owner(
    tmp_path: Path, loss: str
) -> None:
    async with place(tmp_path) as p:
        grace, root = await p.house.person("grace"), await p.house.person("root", role="admin")
        await p.make(grace, "owner")
        tokens = [
            token_of(await p.invite(grace, role="viewer")),
            token_of(await p.invite(grace, role="viewer", email="linus@example.org")),
        ]
        assert grace.user is not None
        match loss:
            case "demoted":
                await p.make(grace, "editor")
            case "removed":
                await p.ada.delete(f"{p.path}/members?email={grace.user.email}")
            case "disabled":
                await root.delete(f"/v1/users/{grace.user.id}")
        for token in tokens:
            answer = await look(p.house.stranger(), token)
            assert (answer.status, answer.body["error"]["details"]) == (404, {"reason": "void"})
        assert (await accept(await p.house.person("alan"), tokens[0])).status == 404
        assert (await join(p.house.stranger(), tokens[1])).status == 404
        assert {each["state"] for each in await p.listed()} == {"void"}
        again = await p.ada.post(f"{p.path}/invitations/{(await p.listed())[0]['id']}/link")
        assert again.body["invitation"]["state"] == "open", "made anew it is Ada's"


@pytest.mark.rule("I11")
@pytest.mark.parametrize(
    ("setting", "owner", "administrator"),
    [("nobody", 403, 403), ("administrators", 403, 201), ("owners", 201, 201)],
)
async def test_the_operator_says_who_may_bring_new_people(
    tmp_path: Path, setting: str, owner: int, administrator: int
) -> None:
    async with place(tmp_path, invite_new_people=setting) as p:
        root = await p.house.person("root", role="admin")
        assert (await p.invite(role="viewer")).status == 201, "a link brings nobody new"
        for caller, status in ((p.ada, owner), (root, administrator)):
            answer = await p.invite(caller, role="viewer", email="linus@example.org")
            assert answer.status == status
            if status == 403:
                assert answer.code == "no_new_people"
                assert "invite_new_people" in answer.body["error"]["message"]
            listed = (await caller.get(f"{p.path}/invitations")).body
            assert listed["new_people"] is (status == 201)


@pytest.mark.rule("I11")
async def test_new_people_come_through_administrators_unless_the_operator_says_otherwise(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        assert h.parts.settings.invite_new_people == "administrators"


@pytest.mark.rule("I7")
async def test_a_newer_invitation_for_an_address_replaces_the_one_before(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        first = await p.link("viewer", email="linus@example.org")
        second = await p.link("editor", email="linus@example.org")
        assert [each["role"] for each in await p.listed()] == ["editor"]
        assert (await look(p.house.stranger(), first)).body["error"]["details"] == {
            "reason": "revoked"
        }
        assert (await join(p.house.stranger(), second)).status == 201


@pytest.mark.rule("I1")
async def test_a_canvas_has_so_many_invitations_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spellwork_server.identity.invitations.MAX_OPEN", 2)
    async with place(tmp_path) as p:
        await p.link()
        await p.link()
        answer = await p.invite(role="viewer")
        assert (answer.status, answer.code) == (409, "too_many_invitations")
        await p.ada.delete(f"{p.path}/invitations/{(await p.listed())[0]['id']}")
        assert (await p.invite(role="viewer")).status == 201


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"role": "king"}, "role"),
    ({}, "role"),
    ({"role": "viewer", "email": "no address"}, "email"),
    ({"role": "viewer", "expires_in": 1}, "expires_in"),
    ({"role": "viewer", "expires_in": 1e12}, "expires_in"),
    ({"role": "viewer", "email": "a@b.org", "expires_in": 3600}, "expires_in"),
    ({"role": "viewer", "token": "mine"}, "token"),
)


@pytest.mark.rule("S13")
async def test_what_is_wrong_with_a_request_is_named(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        for fields, field in WRONG:
            answer = await p.invite(**fields)
            assert (answer.status, answer.code) == (400, "bad_request")
            assert answer.body["error"]["details"]["errors"][0]["field"] == field


@pytest.mark.rule("I5")
async def test_invitations_go_with_their_canvas(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        token = await p.link()
        assert (await p.ada.delete(p.path)).status == 200
        answer = await look(p.house.stranger(), token)
        assert (answer.status, answer.body["error"]["details"]) == (404, {"reason": "unknown"})


def later(p: Place, at: float) -> None:
    """Let it be ``at`` for invitations."""
    for each in (p.house.parts.stores.invitations, p.house.parts.identity.invitations):
        each._clock = lambda: at
