"""Questions that a node has for people, and who asks them."""

from __future__ import annotations

import asyncio
from typing import Any, Literal, Protocol

import msgspec

from .values import to_json

QuestionKind = Literal["approval", "form", "choice"]

MAX_TITLE, MAX_TEXT, MAX_CHOICES = 400, 100_000, 1_000
"""Characters of a title and of a text, and choices, that a question may have."""


class Question(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a node asks people: ``await context.ask(Question(kind="approval", title="Send it?"))``.

    ``text`` is Markdown. A form has a JSON Schema (``schema``) of the object
    that is wanted, a choice the ``choices`` of which one, with ``several`` some, are wanted. ``data`` is
    any plain JSON that is shown beside it. ``user`` (an id or email address) or ``role`` says
    whom it is for; without either, whoever may run the spell. ``due`` seconds after it was first asked
    it is over: by ``on_timeout`` the answer is ``default``, or asking fails
    with ``not_answered``. Reminders go out every ``remind`` seconds.

    Raises:
        ValueError: for a question that makes no sense, saying why.
    """

    kind: QuestionKind
    title: str
    text: str = ""
    schema: dict[str, Any] | None = None
    choices: tuple[str, ...] = ()
    several: bool = False
    data: Any = None
    user: str | None = None
    role: str | None = None
    due: float | None = None
    remind: float | None = None
    on_timeout: Literal["fail", "default"] = "fail"
    default: Any = None

    def __post_init__(self) -> None:
        if wrong := _wrong(self):
            raise ValueError(wrong)

    def to_json(self) -> dict[str, Any]:
        """Return the question as plain JSON, without what is as by default."""
        body: dict[str, Any] = to_json(msgspec.to_builtins(self))
        return body

    @classmethod
    def from_json(cls, body: Any) -> Question:
        """Return the question of its JSON; raises ValueError (msgspec's ``ValidationError`` is one)."""
        return msgspec.convert(body, cls)


def _wrong(question: Question) -> str | None:
    if not question.title or len(question.title) > MAX_TITLE:
        return f"a question has a title of 1 to {MAX_TITLE} characters"
    if len(question.text) > MAX_TEXT:
        return f"the text of a question has at most {MAX_TEXT:,} characters"
    if (question.kind == "form") != (question.schema is not None):
        return "a form has a schema, and nothing else has one"
    if (question.kind == "choice") != bool(question.choices):
        return "a choice has choices, and nothing else has any"
    if len(question.choices) > MAX_CHOICES or len(set(question.choices)) < len(question.choices):
        return f"a question has at most {MAX_CHOICES:,} choices, each once"
    if question.user is not None and question.role is not None:
        return "a question is for a user or for a role, not for both"
    if any(each is not None and not each > 0 for each in (question.due, question.remind)):
        return "due and remind are seconds, more than 0"
    return None


class Asker(Protocol):
    """Asks people on behalf of a run."""

    async def __call__(self, path: str, question: Question, /) -> asyncio.Future[Any]:
        """Put the question, so that it outlives the process, and return the future of its answer.

        ``path`` is the place of the question in the run, and the same whenever the run comes there
        again: the path of the node that asks (``a``, ``sub/x``, ``map[3]/x``), of a further
        question of the same call with ``?2``, ``?3`` behind. Asked again, after a resume or by
        another attempt, it is the same question: where the answer is there, the future is done
        already, and nobody is told that the node waits.

        An exception in the future, or raised here, is what ``Context.ask`` raises. When the run is
        cancelled or suspended, the future is cancelled.
        """
        ...
