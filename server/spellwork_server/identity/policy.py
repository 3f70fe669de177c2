"""The one function behind every permission check, for REST and sockets alike.

``allowed`` is pure: the caller brings the facts about the thing (a
CanvasAccess comes from ``storage.CanvasRecords.access``). What is not listed
here is denied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from spellwork_server.errors import Forbidden, Unauthenticated

from .actor import Actor

CanvasRole = Literal["viewer", "runner", "editor", "owner"]
Audience = Literal["shared", "private"]

Action = Literal[
    "canvas.create",
    "canvas.read",
    "canvas.run",
    "canvas.edit",
    "canvas.share",
    "canvas.invite",
    "canvas.delete",
    "canvas.grant",
    "canvas.grant_own",
    "canvas.join",
    "canvas.comment",
    "comment.edit",
    "comment.remove",
    "comment.resolve",
    "run.create",
    "run.read",
    "run.steer",
    "nodes.read",
    "models.read",
    "models.pull",
    "cache.read",
    "cache.clear",
    "users.manage",
    "user.read",
    "user.edit",
    "credentials.add",
    "worker.manage",
    "packs.install",
    "packs.manage",
    "external.create",
    "external.manage",
    "trigger.edit",
    "trigger.steer",
    "task.read",
    "task.answer",
    "queues.read",
    "queues.manage",
]

CANVAS_ROLES: tuple[CanvasRole, ...] = ("viewer", "runner", "editor", "owner")
"""Roles on a canvas, each allowing all that those before it allow."""

NEEDED_ROLE: Mapping[Action, CanvasRole] = {
    "canvas.read": "viewer",
    "canvas.comment": "viewer",
    "canvas.run": "runner",
    "canvas.edit": "editor",
    "canvas.share": "owner",
    "canvas.invite": "owner",
    "canvas.delete": "owner",
    "canvas.grant_own": "owner",
    "packs.install": "editor",
}
"""The least role on a canvas for each action on it."""

ANY_USER: frozenset[Action] = frozenset(
    {
        "canvas.create",
        "canvas.join",
        "run.create",
        "nodes.read",
        "models.read",
        "cache.read",
        "external.create",
        "queues.read",
    }
)
"""Actions on nothing in particular that every signed-in user may do."""

OWN_ALONE: frozenset[Action] = frozenset({"comment.edit", "trigger.edit"})
"""What nobody does for another, administrators included: to put words into their mouth, or to say what runs as them."""


@dataclass(frozen=True, slots=True)
class CanvasAccess:
    """Who may do what on one canvas: its members, by user id."""

    canvas_id: str
    roles: Mapping[str, CanvasRole] = field(default_factory=dict)

    def role(self, actor: Actor) -> CanvasRole | None:
        """Return what the actor is on this canvas; an administrator is its owner."""
        return "owner" if actor.is_admin else self.roles.get(actor.user_id)

    def __str__(self) -> str:
        return f"canvas {self.canvas_id}"


@dataclass(frozen=True, slots=True)
class RunAccess:
    """Whose a run is. ``canvas`` is None for a run of a spell that came with the request."""

    run_id: str
    user_id: str
    audience: Audience
    canvas: CanvasAccess | None = None

    def __str__(self) -> str:
        return f"run {self.run_id}"


@dataclass(frozen=True, slots=True)
class CommentAccess:
    """Whose a comment is, on which canvas. A thread is its first comment's."""

    comment_id: str
    author_id: str
    canvas: CanvasAccess

    def __str__(self) -> str:
        return f"comment {self.comment_id}"


@dataclass(frozen=True, slots=True)
class TaskAccess:
    """What a run asks, and whom: a user, whoever has at least a role on its canvas, or (neither) whoever started it."""

    task_id: str
    run: RunAccess
    assignee_id: str | None = None
    assignee_role: CanvasRole | None = None

    def __str__(self) -> str:
        return f"task {self.task_id}"


@dataclass(frozen=True, slots=True)
class TriggerAccess:
    """Whose a trigger is, and on which canvas: its runs are that user's."""

    trigger_id: str
    user_id: str
    canvas: CanvasAccess

    def __str__(self) -> str:
        return f"trigger {self.trigger_id}"


@dataclass(frozen=True, slots=True)
class ExternalWorkerAccess:
    """Whose an external worker is."""

    worker_id: str
    owner_id: str

    def __str__(self) -> str:
        return f"external worker {self.worker_id}"


@dataclass(frozen=True, slots=True)
class UserAccess:
    """The account that is looked at or changed."""

    user_id: str

    def __str__(self) -> str:
        return f"user {self.user_id}"


Thing = (
    CanvasAccess
    | RunAccess
    | CommentAccess
    | TaskAccess
    | TriggerAccess
    | ExternalWorkerAccess
    | UserAccess
    | None
)


def allowed(actor: Actor | None, action: Action, thing: Thing = None) -> bool:
    """Tell whether ``actor`` may do ``action`` to ``thing``. Denies what it does not know."""
    if actor is None:
        return False
    if action == "credentials.add":
        # A key that leaked must not make another way in, which would outlive its revocation.
        return actor.via == "session" and thing == UserAccess(actor.user_id)
    if actor.is_admin and action not in OWN_ALONE:
        return True
    match thing:
        case CanvasAccess():
            return _canvas_allowed(actor, action, thing)
        case RunAccess():
            return _run_allowed(actor, action, thing)
        case CommentAccess():
            return _comment_allowed(actor, action, thing)
        case TaskAccess():
            return _task_allowed(actor, action, thing)
        case TriggerAccess():
            return _trigger_allowed(actor, action, thing)
        case ExternalWorkerAccess():
            return action == "external.manage" and thing.owner_id == actor.user_id
        case UserAccess():
            return action in ("user.read", "user.edit") and thing.user_id == actor.user_id
        case None:
            return action in ANY_USER


def require(actor: Actor | None, action: Action, thing: Thing = None) -> Actor:
    """Return the actor when allowed; else raise Unauthenticated or Forbidden, naming what is needed."""
    if actor is None:
        raise Unauthenticated("Sign in first: this needs an access token or an API key")
    if not allowed(actor, action, thing):
        raise _forbidden(actor, action, thing)
    return actor


def _canvas_allowed(actor: Actor, action: Action, canvas: CanvasAccess) -> bool:
    needed = NEEDED_ROLE.get(action)
    role = canvas.role(actor)
    return (
        needed is not None
        and role is not None
        and CANVAS_ROLES.index(role) >= CANVAS_ROLES.index(needed)
    )


def _run_allowed(actor: Actor, action: Action, run: RunAccess) -> bool:
    """A private run is its owner's alone; a shared one follows the roles on its canvas."""
    own = run.user_id == actor.user_id
    if run.canvas is None:
        return own and action in ("run.read", "run.steer")
    if run.audience == "private" and not own:
        return False
    if action == "run.read":
        return _canvas_allowed(actor, "canvas.read", run.canvas)
    if action == "run.steer":
        return _canvas_allowed(actor, "canvas.run", run.canvas)
    return False


def _trigger_allowed(actor: Actor, action: Action, trigger: TriggerAccess) -> bool:
    """A trigger is its maker's while they may edit the canvas; whose the canvas is turns any off, and removes it."""
    own = trigger.user_id == actor.user_id and _canvas_allowed(actor, "canvas.edit", trigger.canvas)
    if action == "trigger.edit":
        return own
    return action == "trigger.steer" and (
        own or _canvas_allowed(actor, "canvas.share", trigger.canvas)
    )


def _comment_allowed(actor: Actor, action: Action, comment: CommentAccess) -> bool:
    """A comment is its author's while they may comment there; editors remove and resolve any."""
    own = comment.author_id == actor.user_id and _canvas_allowed(
        actor, "canvas.comment", comment.canvas
    )
    if action == "comment.edit":
        return own
    if action in ("comment.remove", "comment.resolve"):
        return own or _canvas_allowed(actor, "canvas.edit", comment.canvas)
    return False


def _task_allowed(actor: Actor, action: Action, task: TaskAccess) -> bool:
    """Who is asked answers, while they may see the canvas, and its owners where the run is shared."""
    if action == "task.answer":
        return _is_asked(actor, task)
    return action == "task.read" and (
        _is_asked(actor, task) or _run_allowed(actor, "run.read", task.run)
    )


def _is_asked(actor: Actor, task: TaskAccess) -> bool:
    canvas = task.run.canvas
    named = actor.user_id == (task.assignee_id or task.run.user_id)
    if canvas is None:
        return named
    role = canvas.role(actor)
    if role is None:
        return False
    if task.assignee_role is not None:
        return CANVAS_ROLES.index(role) >= CANVAS_ROLES.index(task.assignee_role)
    return named or (role == "owner" and task.run.audience == "shared")


WORDS: Mapping[Action, str] = {
    "canvas.read": "look at",
    "canvas.comment": "comment on",
    "canvas.run": "run",
    "canvas.edit": "edit",
    "canvas.share": "share",
    "canvas.invite": "invite people to",
    "canvas.delete": "delete",
    "canvas.grant_own": "grant anything to",
    "packs.install": "install packs for",
}
"""The actions on a canvas as people say them."""


def _forbidden(actor: Actor, action: Action, thing: Thing) -> Forbidden:
    details: dict[str, object] = {"action": action}
    what = f"do {action} on {'this server' if thing is None else thing}"
    needs = "an administrator"
    if isinstance(thing, CanvasAccess) and action in NEEDED_ROLE:
        details |= {
            "canvas": thing.canvas_id,
            "needs": NEEDED_ROLE[action],
            "has": thing.role(actor),
        }
        what = f"{WORDS[action]} this canvas"
        needs = f"the role {NEEDED_ROLE[action]}"
    elif action == "canvas.grant":
        what = "grant anything to this canvas"
    elif isinstance(thing, RunAccess):
        needs = (
            "its owner"
            if thing.audience == "private" or thing.canvas is None
            else "a role on its canvas"
        )
    elif isinstance(thing, ExternalWorkerAccess):
        needs = "its owner"
    elif isinstance(thing, TaskAccess):
        needs = "to be asked" if action == "task.answer" else "a role on its canvas"
    elif isinstance(thing, TriggerAccess):
        needs = "its maker" if action == "trigger.edit" else "its maker or the role owner"
    elif isinstance(thing, CommentAccess):
        needs = "its author" if action == "comment.edit" else "its author or the role editor"
    elif action == "credentials.add":
        needs = "its owner to be signed in: an API key makes no other way in"
    return Forbidden(f"You may not {what}; that needs {needs}", details=details)
