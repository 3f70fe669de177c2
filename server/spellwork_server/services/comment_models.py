"""What the operations of comments and mentions take and answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from spellwork_server.storage.comments import Author, CommentRecord, ThreadRecord
from spellwork_server.storage.mentions import MentionRecord

from .service import Request, View

MAX_TEXT = 10_000
"""Characters of a comment."""

EXCERPT = 280
"""Characters of a comment that lists show."""

MAX_MENTIONS = 50
"""People that one comment may name."""

MENTION = re.compile(r"@\[([^\[\]\n]{0,200})\]\(user:([0-9a-f]{32})\)")
"""How a text names somebody. The id counts; the name is for those who read the bare text."""

CanvasId = Annotated[str, Field(min_length=1, max_length=64)]
CommentId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Coordinate = Annotated[FiniteFloat, Field(ge=-1e9, le=1e9)]
Cursor = Annotated[
    str | None, Field(default=None, max_length=100, description="The `next` of the page before.")
]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT),
    Field(description="Markdown. `@[NAME](user:ID)` mentions the user of that id."),
]


class PersonView(View):
    """Somebody, by the name they have now."""

    id: str
    name: str


class ThreadView(View):
    """A thread: where it is, how it begins and how far it went. Its id is its first comment's."""

    id: str
    canvas: str
    author: PersonView
    node: str | None = Field(description="The node it is at; it may be gone.")
    at: tuple[float, float] = Field(description="Where it is; for a node, where that was last.")
    excerpt: str = Field(description=f"The first {EXCERPT} characters of the first comment.")
    created_at: float
    last_at: float = Field(description="When its latest comment was made.")
    count: int = Field(description="Comments in it, the first one too.")
    resolved_at: float | None
    resolved_by: PersonView | None


class CommentView(View):
    """A comment. ``mentions`` has the names that mentioned people have now, by user id."""

    id: str
    thread: str
    author: PersonView
    text: str
    created_at: float
    edited_at: float | None
    mentions: dict[str, str]


class ThreadList(View):
    """Threads, the latest begun first."""

    items: list[ThreadView]
    read: dict[str, float] = Field(description="Until when the caller has read each, by thread.")
    next: str | None = Field(description="Ask for more with `after` = this.")


class Thread(View):
    """A thread with comments of it, oldest first."""

    thread: ThreadView
    comments: list[CommentView]
    next: str | None = Field(description="Ask for more with `after` = this.")


class CommentChanged(View):
    """A comment as it is now, and its thread."""

    thread: ThreadView
    comment: CommentView


class ThreadChanged(View):
    """A thread as it is now."""

    thread: ThreadView


class CanvasComments(View):
    """``canvas.comments``: a thread changed; ``thread`` is None when it was removed."""

    canvas: str
    id: str = Field(description="The thread.")
    thread: ThreadView | None = None
    comment: CommentView | None = Field(
        default=None, description="The comment that was made or edited."
    )
    removed: str | None = Field(default=None, description="The comment that was removed.")


class MentionView(View):
    """Somebody mentioned the caller."""

    comment: str
    thread: str
    canvas: str
    canvas_name: str
    author: PersonView
    excerpt: str
    created_at: float
    read_at: float | None


class MentionList(View):
    """The caller's mentions, those not read first, then the latest."""

    items: list[MentionView]
    unread: int
    next: str | None = Field(description="Ask for more with `after` = this.")


class Unread(View):
    """How many mentions the caller has not read."""

    unread: int


class UserMentions(Unread):
    """``user.mentions``: how many are not read now, and the one that came, if one did."""

    mention: MentionView | None = None


class FindThreads(Request):
    """Threads of a canvas."""

    canvas: CanvasId
    state: Literal["open", "resolved", "all"] = "open"
    limit: int = Field(default=100, ge=1, le=200)
    after: Cursor


class OneComment(Request):
    """A comment of a canvas."""

    canvas: CanvasId
    id: CommentId


class GetThread(OneComment):
    """The thread of a comment, whichever of its comments that is."""

    limit: int = Field(default=50, ge=1, le=50)
    after: Cursor


class NewComment(Request):
    """A reply in ``thread``, or the first comment of a thread at a ``node`` or at a place."""

    canvas: CanvasId
    id: CommentId | None = Field(
        default=None, description="32 hexadecimal digits; sent again, they make no second comment."
    )
    text: Text
    thread: CommentId | None = None
    node: str | None = Field(default=None, min_length=1, max_length=64)
    at: tuple[Coordinate, Coordinate] | None = Field(
        default=None,
        description="The place; with a node, where that is (read from the canvas if left out).",
    )

    @model_validator(mode="after")
    def _one_place(self) -> NewComment:
        if (self.thread is None) == (self.node is None and self.at is None):
            raise ValueError("give either thread, or node or at")
        return self


class EditComment(OneComment):
    """Another text for a comment of one's own."""

    text: Text


class ReadThreads(Request):
    """The thread that was read; all of the canvas without one."""

    canvas: CanvasId
    thread: CommentId | None = None


class FindMentions(Request):
    """A page of one's mentions."""

    limit: int = Field(default=50, ge=1, le=200)
    after: Cursor


class ReadMentions(Request):
    """The mention that was read, by its comment; all without one."""

    comment: CommentId | None = None


def mentioned(text: str) -> dict[str, str]:
    """Return whom a text names: user id to the name written there first."""
    named: dict[str, str] = {}
    for name, user_id in MENTION.findall(text):
        named.setdefault(user_id, name)
    return named


def thread_view(record: ThreadRecord) -> ThreadView:
    """Return a thread as it is shown."""
    return ThreadView(
        id=record.id,
        canvas=record.canvas_id,
        author=_person(record.author),
        node=record.node,
        at=record.at,
        excerpt=excerpt(record.text),
        created_at=record.created_at,
        last_at=record.last_at,
        count=record.count,
        resolved_at=record.resolved_at,
        resolved_by=None if record.resolved_by is None else _person(record.resolved_by),
    )


def comment_view(record: CommentRecord) -> CommentView:
    """Return a comment as it is shown."""
    return CommentView(
        id=record.id,
        thread=record.thread,
        author=_person(record.author),
        text=record.text,
        created_at=record.created_at,
        edited_at=record.edited_at,
        mentions=dict(record.mentions),
    )


def mention_view(record: MentionRecord) -> MentionView:
    """Return a mention as it is shown."""
    return MentionView(
        comment=record.comment,
        thread=record.thread,
        canvas=record.canvas_id,
        canvas_name=record.canvas_name,
        author=_person(record.author),
        excerpt=excerpt(record.text),
        created_at=record.created_at,
        read_at=record.read_at,
    )


def comment_views(records: Sequence[CommentRecord]) -> list[CommentView]:
    """Return comments as they are shown."""
    return [comment_view(each) for each in records]


def excerpt(text: str) -> str:
    """Return how a text begins, with mentions as ``@NAME``."""
    plain = MENTION.sub(lambda found: f"@{found[1]}", text)
    return plain if len(plain) <= EXCERPT else f"{plain[: EXCERPT - 1]}…"


def _person(author: Author) -> PersonView:
    return PersonView(id=author.id, name=author.name)
