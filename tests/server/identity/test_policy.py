"""One function decides what anybody may do; what it does not know is denied."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from spellwork_server.errors import Forbidden, Unauthenticated
from spellwork_server.identity import (
    Action,
    Actor,
    CanvasAccess,
    CommentAccess,
    RunAccess,
    UserAccess,
    allowed,
    require,
)
from spellwork_server.identity.policy import ExternalWorkerAccess

ADMIN = Actor("root", "root@example.org", "Root", "admin")
ADA = Actor("ada", "ada@example.org", "Ada", "member")
GRACE = Actor("grace", "grace@example.org", "Grace", "member")

ACTIONS: tuple[Action, ...] = get_args(Action)
ON_A_CANVAS = {
    "viewer": {"canvas.read", "canvas.comment"},
    "runner": {"canvas.read", "canvas.comment", "canvas.run"},
    "editor": {"canvas.read", "canvas.comment", "canvas.run", "canvas.edit", "packs.install"},
    "owner": {
        "canvas.read",
        "canvas.comment",
        "canvas.run",
        "canvas.edit",
        "canvas.share",
        "canvas.invite",
        "canvas.delete",
        "canvas.grant_own",
        "packs.install",
    },
    None: set(),
}


@pytest.mark.parametrize("role", ON_A_CANVAS)
def test_a_role_on_a_canvas_allows_its_actions_and_no_others(role: str | None) -> None:
    canvas = CanvasAccess("c", {} if role is None else {"ada": role})  # type: ignore[dict-item]
    assert {each for each in ACTIONS if allowed(ADA, each, canvas)} == ON_A_CANVAS[role]


def test_nobody_may_do_anything() -> None:
    canvas = CanvasAccess("c", {"ada": "owner"})
    for action in ACTIONS:
        for thing in (None, canvas, UserAccess("ada"), RunAccess("r", "ada", "shared", canvas)):
            assert not allowed(None, action, thing)


def test_an_administrator_may_do_everything_but_add_a_way_in_or_speak_for_others() -> None:
    others = [
        each for each in ACTIONS if each not in ("credentials.add", "comment.edit", "trigger.edit")
    ]
    assert all(allowed(ADMIN, action, CanvasAccess("c")) for action in others)
    assert all(allowed(ADMIN, action) for action in others)
    assert not allowed(ADMIN, "credentials.add", UserAccess("ada"))
    assert not allowed(ADMIN, "comment.edit", CommentAccess("m", "ada", CanvasAccess("c")))


def test_an_api_key_makes_no_other_way_in() -> None:
    assert not allowed(replace(ADA, via="api_key"), "credentials.add", UserAccess("ada"))


def test_a_member_may_do_to_nothing_in_particular_only_what_is_listed() -> None:
    may = {each for each in ACTIONS if allowed(ADA, each)}
    assert may == {
        "canvas.create",
        "canvas.join",
        "run.create",
        "external.create",
        "nodes.read",
        "models.read",
        "queues.read",
        "cache.read",
    }


def test_an_account_is_its_own() -> None:
    assert {each for each in ACTIONS if allowed(ADA, each, UserAccess("ada"))} == {
        "user.read",
        "user.edit",
        "credentials.add",
    }
    assert not any(allowed(GRACE, each, UserAccess("ada")) for each in ACTIONS)


@pytest.mark.parametrize(
    ("audience", "who", "may"),
    [
        ("private", ADA, {"run.read", "run.steer"}),
        ("private", GRACE, set()),
        ("shared", ADA, {"run.read", "run.steer"}),
        ("shared", GRACE, {"run.read"}),
    ],
)
def test_a_private_run_is_its_owners_and_a_shared_one_follows_the_canvas(
    audience: str, who: Actor, may: set[str]
) -> None:
    canvas = CanvasAccess("c", {"ada": "runner", "grace": "viewer"})
    run = RunAccess("r", "ada", audience, canvas)  # type: ignore[arg-type]
    assert {each for each in ACTIONS if allowed(who, each, run)} == may


@pytest.mark.parametrize(
    ("who", "role", "may"),
    [
        ("author", "viewer", {"comment.edit", "comment.remove", "comment.resolve"}),
        ("author", None, set()),
        ("other", "viewer", set()),
        ("other", "runner", set()),
        ("other", "editor", {"comment.remove", "comment.resolve"}),
        ("other", "owner", {"comment.remove", "comment.resolve"}),
        ("other", None, set()),
    ],
)
def test_a_comment_is_its_authors_and_editors_clear_up(
    who: str, role: str | None, may: set[str]
) -> None:
    canvas = CanvasAccess("c", {} if role is None else {"ada": role})  # type: ignore[dict-item]
    comment = CommentAccess("m", "ada" if who == "author" else "grace", canvas)
    assert {each for each in ACTIONS if allowed(ADA, each, comment)} == may


def test_the_owner_of_a_run_loses_it_with_the_canvas() -> None:
    assert not allowed(ADA, "run.read", RunAccess("r", "ada", "private", CanvasAccess("c", {})))


def test_a_run_without_a_canvas_is_its_owners() -> None:
    run = RunAccess("r", "ada", "private")
    assert allowed(ADA, "run.steer", run)
    assert not allowed(GRACE, "run.read", run)


def test_a_refusal_says_what_would_be_needed() -> None:
    canvas = CanvasAccess("c", {"ada": "viewer"})
    with pytest.raises(Forbidden) as refusal:
        require(ADA, "canvas.edit", canvas)
    assert refusal.value.details == {
        "action": "canvas.edit",
        "canvas": "c",
        "needs": "editor",
        "has": "viewer",
    }
    with pytest.raises(Unauthenticated):
        require(None, "canvas.read", canvas)
    assert require(ADA, "canvas.read", canvas) is ADA


def test_an_external_worker_is_for_its_owner_to_change() -> None:
    worker = ExternalWorkerAccess("w", "ada")
    assert [each for each in ACTIONS if allowed(ADA, each, worker)] == ["external.manage"]
    assert not [each for each in ACTIONS if allowed(GRACE, each, worker)]
    assert allowed(ADMIN, "external.manage", worker)
