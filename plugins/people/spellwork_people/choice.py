"""``people.choice``: somebody picks from options."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from msgspec import UNSET
from pydantic import Field

from spellwork import Context, NodeError, node

from .asking import Assignee, By, Due, Reminder, Text, Title, answer, question


class Choice(TypedDict):
    """The option, or a list of them; and who chose."""

    choice: Any
    by: By


@node(
    "people.choice",
    title="Choice by people",
    category="People",
    cache="none",
    keywords=("pick", "select", "human", "option", "decide", "ask", "vote"),
    example={"title": "Which draft is best?", "options": ["The first", "The second"]},
)
async def choice(
    ctx: Context,
    options: Annotated[
        list[Any], Field(min_length=1, max_length=1_000, description="What there is to choose from")
    ],
    *,
    several: Annotated[bool, Field(description="Any number of options, also none")] = False,
    title: Title = "Which one?",
    text: Text = "",
    assignee: Assignee = "",
    due: Due = None,
    reminder: Reminder = None,
    on_timeout: Annotated[
        Literal["fail", "default", "reject"],
        Field(description="When nobody answered in time; reject skips the node"),
    ] = "fail",
    default: Annotated[
        Any, Field(description="The option, of several the list, that is taken then")
    ] = None,
) -> Choice:
    """The option that somebody picks, or the list of those; until then it waits."""
    by_label = _labels(options)
    takes: Any = None
    if on_timeout == "fail":
        takes = UNSET
    elif on_timeout == "default":
        picked = [_label(each) for each in default] if several and default else default
        takes = {"choice": picked or [] if several else _label(default)}
    asked = question(
        ctx,
        kind="choice",
        title=title,
        text=text,
        choices=tuple(by_label),
        several=several,
        assignee=assignee,
        due=due,
        reminder=reminder,
        takes=takes,
    )
    found = await answer(ctx, asked)
    chosen = found["choice"]
    value = [by_label[each] for each in chosen] if several else by_label[chosen]
    return {"choice": value, "by": found["by"]}


def _label(option: Any) -> str:
    """Return an option as people see it: the ``label`` or ``name`` of an object, anything else as text."""
    if isinstance(option, dict):
        option = option.get("label", option.get("name", option))
    return option if isinstance(option, str) else str(option)


def _labels(options: list[Any]) -> dict[str, Any]:
    """Return the options by what people see. Raises NodeError where two look the same."""
    found: dict[str, Any] = {}
    for option in options:
        label = _label(option)
        if not label or label in found:
            raise NodeError(
                f"the option {label!r} is there twice" if label else "an option is empty",
                port="options",
                retryable=False,
            )
        found[label] = option
    return found
