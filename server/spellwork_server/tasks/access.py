"""Who may do what with a task: its facts, for ``identity.policy``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from spellwork_server.identity.policy import CanvasAccess, RunAccess, TaskAccess
from spellwork_server.storage.tasks import TaskRecord

Access = Callable[[str], Awaitable[CanvasAccess]]


async def task_access(task: TaskRecord, access: Access) -> TaskAccess:
    """Return whom a task concerns. Raises NotFound when its canvas was deleted."""
    canvas = None if task.canvas_id is None else await access(task.canvas_id)
    run = RunAccess(task.run, task.created_by, task.audience, canvas)
    return TaskAccess(task.id, run, task.assignee_id, task.assignee_role)
