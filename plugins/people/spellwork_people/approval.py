"""``people.approval``: somebody says yes or no."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypedDict

from msgspec import UNSET
from pydantic import Field

from spellwork import SKIP, Context, node
from spellwork.encoding import weight
from spellwork.values import to_json

from .asking import Assignee, By, Due, Reminder, Text, Title, answer, question

SHOWN = 16_384
"""Characters of JSON of a value that people are shown; a larger one goes on unseen."""


class Approval(TypedDict):
    """The value leaves by one of the first two."""

    approved: Any
    rejected: Any
    by: By
    comment: str


@node(
    "people.approval",
    title="Approval",
    category="People",
    cache="none",
    keywords=("approve", "reject", "confirm", "review", "human", "wait", "ask", "yes", "no"),
    example={"title": "Send this to the customer?"},
)
async def approval(
    ctx: Context,
    value: Annotated[Any, Field(description="Shown with the question, and goes on")] = None,
    *,
    title: Title = "May this go on?",
    text: Text = "",
    assignee: Assignee = "",
    due: Due = None,
    reminder: Reminder = None,
    on_timeout: Annotated[
        Literal["fail", "approve", "reject"], Field(description="When nobody answered in time")
    ] = "fail",
) -> Approval:
    """The value leaves by ``approved`` or ``rejected``, as somebody decides; until then it waits."""
    taken = UNSET if on_timeout == "fail" else {"approved": on_timeout == "approve"}
    asked = question(
        ctx,
        kind="approval",
        title=title,
        **_with_value(text, value),
        assignee=assignee,
        due=due,
        reminder=reminder,
        takes=taken,
    )
    found = await answer(ctx, asked)
    return {
        "approved": value if found["approved"] else SKIP,
        "rejected": SKIP if found["approved"] else value,
        "by": found["by"],
        "comment": found["comment"],
    }


def _with_value(text: str, value: Any) -> dict[str, Any]:
    """Return text and data of the question: the value, where people can take it in."""
    if weight(value, SHOWN) < SHOWN:
        shown = to_json(value)
        if len(json.dumps(shown, ensure_ascii=False)) <= SHOWN:
            return {"text": text, "data": shown}
    return {"text": f"{text}\n\n*The value is too large to be shown here.*".strip()}
