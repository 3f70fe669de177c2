"""What answering can be refused with.

::

    ServerError
    ├── NotFound
    │   ├── TaskMissing       404  not_found
    │   └── TaskLinkInvalid   404  task_link_invalid
    └── Conflict
        └── TaskSettled       409  task_settled
"""

from __future__ import annotations

from spellwork_server.errors import Conflict, NotFound
from spellwork_server.storage.tasks import BY_LINK, TaskRecord


class TaskMissing(NotFound):
    """There is no such task, or none that the caller may know of."""

    def __init__(self, task: str) -> None:
        super().__init__(f"There is no task {task}", details={"task": task})


class TaskLinkInvalid(NotFound):
    """The link was used, taken back or replaced, or the task is no longer open."""

    default_code = "task_link_invalid"

    def __init__(self) -> None:
        super().__init__(
            "This link is good no more: the question is settled, or the link was taken back."
            " Ask whoever sent it for another"
        )


class TaskSettled(Conflict):
    """The task is open no more; ``details`` say since when and by whom."""

    default_code = "task_settled"

    def __init__(self, task: TaskRecord) -> None:
        super().__init__(
            _why(task),
            details={
                "task": task.id,
                "state": task.state,
                "at": task.answered_at,
                "by": None if task.answered_by in (None, BY_LINK) else task.answered_by,
                "by_name": answerer(task),
            },
        )


def answerer(task: TaskRecord) -> str | None:
    """Return the name of who answered, as people are told it."""
    if task.answered_by != BY_LINK:
        return task.answered_by_name
    signed = (task.answer or {}).get("signed")
    return signed or "somebody with the link"


def _why(task: TaskRecord) -> str:
    if task.state == "answered":
        return f"{answerer(task) or 'Somebody'} has answered this already"
    if task.state == "expired":
        return "Nobody answered this in time"
    return "The run does not wait for this any more"
