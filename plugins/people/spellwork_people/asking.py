"""What the nodes of this pack share: whom they ask, until when, and what they get."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import Field

from spellwork import Context, NodeError, NodeSkipped, Question
from spellwork.answers import check_question

from .durations import seconds

ROLES = ("viewer", "runner", "editor", "owner")

Title = Annotated[str, Field(max_length=400, description="What people are asked, in one line")]
Text = Annotated[
    str,
    Field(
        max_length=100_000,
        description="More about it, in Markdown",
        json_schema_extra={"format": "markdown"},
    ),
]
Assignee = Annotated[
    str,
    Field(
        max_length=320,
        description="Who is asked: an email address, or viewer, runner, editor or owner for all who are"
        " at least that here; whoever runs where it is empty",
    ),
]
Due = Annotated[
    str | float | None,
    Field(description="Until when: seconds, or such as 36 hours or 2 days; for ever where empty"),
]
Reminder = Annotated[
    str | float | None, Field(description="Remind them again and again after so long")
]
By = dict[str, Any] | None
"""``{id, name, email}`` of who answered; null for the default when the time was over."""


def question(
    ctx: Context,
    *,
    assignee: str,
    due: float | str | None,
    reminder: float | str | None,
    takes: dict[str, Any] | msgspec.UnsetType | None,
    **asked: Any,
) -> Question:
    """Return a question; ``takes`` is the answer when the time is over, None for none, UNSET to fail then.

    Raises NodeError for one that makes no sense.
    """
    who = assignee.strip()
    try:
        made = Question(
            user=None if who in ROLES else who or ctx.user,
            role=who if who in ROLES else None,
            due=seconds(due, "due"),
            remind=seconds(reminder, "reminder"),
            on_timeout="fail" if takes is msgspec.UNSET else "default",
            default=None if takes is msgspec.UNSET else takes,
            **asked,
        )
        check_question(made)
    except ValueError as error:
        raise NodeError(str(error), code="question_invalid", retryable=False) from error
    return made


async def answer(ctx: Context, asked: Question) -> dict[str, Any]:
    """Ask, and return the answer with ``by``; skips the node where the time is over and nothing is taken then."""
    found = await ctx.ask(asked)
    if found is None:
        raise NodeSkipped("nobody answered in time")
    return dict(found)
