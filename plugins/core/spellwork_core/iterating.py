"""Do something for each of many items: several at once, with what failed told, passed over, or collected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from spellwork import Context, Node, NodeError

MAX_AT_ONCE = 64
"""Items that may be under way at once."""

TURN = 16
"""Items after which others have their turn."""

PROGRESS = 100
"""About how many times the progress of a long list is told."""

OnError = Annotated[
    Literal["fail", "null", "collect"],
    Field(
        description="What a failing item does: fail the node, stand as null,"
        " or stand as null and be told in errors"
    ),
]

Order = Annotated[
    Literal["items", "completion"],
    Field(description="Results in the order of the items, or as they complete"),
]

_EMPTY: Any = object()


class Iterations:
    """The items of one call, by their number, taken one by one by several workers of the loop."""

    def __init__(
        self, ctx: Context, one: Callable[[int], Awaitable[Any]], on_error: str = "fail"
    ) -> None:
        self.errors: list[dict[str, Any]] = []
        """What failed: {index, code, message, path?, node?, label?}, by index; kept where it is not to fail all."""
        self._ctx = ctx
        self._one = one
        self._on_error = on_error
        self._results: list[Any] = []
        self._completed: list[int] = []
        self._failure: NodeError | None = None
        self._waiting: Iterator[int] = iter(())

    async def run(self, count: int, at_once: int) -> Iterations:
        """Do them all, or until one failed where that is to fail all: then raises its error."""
        self._results = [None] * count
        self._waiting = iter(range(count))
        if min(at_once, count) <= 1:
            await self._work()
        else:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(at_once, count)):
                    group.create_task(self._work())
        if self._failure is not None:
            raise self._failure
        self.errors.sort(key=lambda error: int(error["index"]))
        return self

    def results(self, order: str = "items") -> list[Any]:
        """Return a result for each item, None where it failed."""
        if order == "items":
            return self._results
        return [self._results[index] for index in self._completed]

    async def _work(self) -> None:
        results, one = self._results, self._one
        every = max(1, len(results) // PROGRESS)
        for index in self._waiting:
            if index % TURN == 0:  # what never waits would never let others have their turn
                await asyncio.sleep(0)
            try:
                results[index] = await one(index)
            except NodeError as error:
                if self._on_error == "fail":
                    self._failure = self._failure or of_item(error, index)
                    return
                self._note(error, index)
            if self._failure is not None:
                return
            self._completed.append(index)
            if len(self._completed) % every == 0 or len(self._completed) == len(results):
                self._tell()

    def _note(self, error: NodeError, index: int) -> None:
        place = {key: error.details[key] for key in _PLACE if "label" in error.details}
        self.errors.append({"index": index, "code": error.code, "message": error.message} | place)
        if len(self.errors) <= TOLD_FAILURES and not place:
            self._ctx.log(f"item {index}: {error.message}", "warning")

    def _tell(self) -> None:
        done, count = len(self._completed), len(self._results)
        failed = f", {len(self.errors)} failed" if self.errors else ""
        self._ctx.progress(done / count, f"{done} of {count}{failed}")


_PLACE = ("path", "node", "label")
"""What a body's failure says of the node in it that failed."""

TOLD_FAILURES = 20
"""Failures of one call that are written to the log."""


def of_item(error: NodeError, index: int) -> NodeError:
    """Return an item's error, saying which item it was; one that tells its path does already."""
    if "path" in error.details:
        error.details["index"] = index
        return error
    return NodeError(
        f"item {index}: {error.message}",
        code=error.code,
        details={**error.details, "index": index},
        retryable=error.retryable,
    )


def list_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list of what a schema describes."""
    if not schema:
        return {"type": "array"}
    root = {key: value for key, value in schema.items() if key == "$defs"}
    return {"type": "array", "items": {k: v for k, v in schema.items() if k != "$defs"}} | root


def typed_in(node: Node, name: str, otherwise: Any) -> Any:
    """Return what is typed in for an input that decides about ports."""
    value = node.inputs.get(name)
    return otherwise if value is None else value
