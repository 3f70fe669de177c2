"""Tasks: what runs ask people, and their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from spellwork_server.errors import BadRequest, NotFound
from spellwork_server.identity import Actor, CanvasAccess, TaskAccess, allowed, require
from spellwork_server.identity.policy import CANVAS_ROLES, UserAccess
from spellwork_server.storage.tasks import TaskRecord, TaskRecords
from spellwork_server.storage.users import UserRecords
from spellwork_server.tasks import Tasks
from spellwork_server.tasks.access import task_access
from spellwork_server.tasks.errors import TaskMissing
from spellwork_server.tasks.links import TaskLinks

from .auth import caller_address
from .registry import Registry
from .service import Call, Done, Service, operation
from .task_models import (
    STATES,
    AnswerByLink,
    AnswerTask,
    AssignTask,
    FindTasks,
    LinkedTask,
    News,
    OneTask,
    TaskLink,
    TaskList,
    TasksChanged,
    TaskToken,
    TaskView,
    question_view,
    task_view,
)

Access = Callable[[str], Awaitable[CanvasAccess]]


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that tasks need."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""


class TaskNews:
    """Tells people of tasks: those who have the canvas open, who is or was asked, and whose run it is."""

    def __init__(
        self, records: TaskRecords, users: UserRecords, access: Access, channels: Publishes
    ) -> None:
        self._records = records
        self._users = users
        self._access = access
        self._channels = channels

    async def __call__(self, task: TaskRecord, news: News, before: TaskRecord | None) -> None:
        """Tell of a task that changed; a watcher for ``Tasks``.

        Who was asked ``before`` is told how many are left to them, and the task only where they may read it still.
        """
        if task.canvas_id is not None and task.audience == "shared":
            told = TasksChanged(id=task.id, task=task_view(task), news=news)
            self._publish(f"canvas:{task.canvas_id}", told)
        thing = await task_access(task, self._access)
        asked = _asked(thing)
        concerned = asked | {thing.run.user_id}
        if before is not None:
            concerned |= _asked(await task_access(before, self._access))
        counts = await self._records.counts(concerned)
        for user in await self._users.find(sorted(concerned)):
            if user.disabled:
                continue
            actor = Actor(user.id, user.email, user.name, user.role)
            view = None
            if allowed(actor, "task.read", thing):
                view = task_view(task, may_answer=allowed(actor, "task.answer", thing))
            elif before is None:
                continue
            mine = view is not None and task.is_open and user.id in asked
            told = TasksChanged(id=task.id, task=view, news=news, open=counts[user.id], mine=mine)
            self._publish(f"user:{user.id}", told)

    def _publish(self, channel: str, event: TasksChanged) -> None:
        self._channels.publish(channel, "tasks.changed", event.model_dump(mode="json"))


def _asked(thing: TaskAccess) -> set[str]:
    """Return who is asked, by name or by role; that owners may answer all the same does not ask them."""
    people: set[str] = set()
    if thing.assignee_id is not None:
        people.add(thing.assignee_id)
    if thing.assignee_role is not None and thing.run.canvas is not None:
        enough = CANVAS_ROLES[CANVAS_ROLES.index(thing.assignee_role) :]
        people |= {user for user, role in thing.run.canvas.roles.items() if role in enough}
    return people


class TaskService(Service):
    """Questions of runs to people."""

    name = "tasks"

    def __init__(
        self, records: TaskRecords, tasks: Tasks, links: TaskLinks, access: Access, url: str
    ) -> None:
        self._records = records
        self._tasks = tasks
        self._links = links
        self._access = access
        self._url = url

    @operation(summary="List what runs ask people", rest=("GET", "/v1/tasks"))
    async def find(self, call: Call, request: FindTasks) -> TaskList:
        """List tasks that one may see: open ones unless asked otherwise, the latest first."""
        actor = require(
            call.actor, "user.read", UserAccess(call.actor.user_id if call.actor else "")
        )
        found, after = await self._records.find(
            actor.user_id,
            everywhere=actor.is_admin,
            mine=request.mine,
            states=STATES[request.state],
            canvas=request.canvas,
            run=request.run,
            limit=request.limit,
            after=request.after,
        )
        return TaskList(
            items=[await self._view(actor, task) for task in found],
            open=await self._records.count(actor.user_id),
            next=after,
        )

    @operation(summary="Read what a run asks", rest=("GET", "/v1/tasks/{id}"))
    async def get(self, call: Call, request: OneTask) -> TaskView:
        """Answer one task. For those who are asked, and those who may see its run."""
        actor, task = await self._readable(call, request.id)
        return await self._view(actor, task)

    @operation(
        summary="Answer what a run asks",
        rest=("POST", "/v1/tasks/{id}/answer"),
        errors=("task_settled",),
    )
    async def answer(self, call: Call, request: AnswerTask) -> TaskView:
        """Answer, and let the run go on with that. The first answer counts; a later one is told whose that was.

        For those who are asked, and the canvas's owners.
        """
        actor, task = await self._answerable(call, request.id)
        settled = await self._tasks.answer(task, request.answer, by=actor.user_id)
        return await self._view(actor, settled)

    @operation(
        summary="Ask somebody else",
        rest=("POST", "/v1/tasks/{id}/assign"),
        errors=("task_settled",),
    )
    async def assign(self, call: Call, request: AssignTask) -> TaskView:
        """Hand a task on, to a user or to a role on the canvas; its link ends. For those who may answer it."""
        if (request.user is None) == (request.role is None):
            raise BadRequest.field("user", "give either user or role")
        actor, task = await self._answerable(call, request.id)
        return await self._view(actor, await self._tasks.assign(task, request.user, request.role))

    @operation(
        summary="Make a link by which a task can be answered",
        rest=("POST", "/v1/tasks/{id}/link"),
        status=201,
        errors=("task_settled",),
    )
    async def link(self, call: Call, request: OneTask) -> TaskLink:
        """Make a link for somebody without an account: good for one answer, in the place of the one before.

        Whoever holds it sees the question, and nothing of the canvas. It ends with the task, and when its
        maker may not answer any more. For those who may answer.
        """
        actor, task = await self._answerable(call, request.id)
        token, link_id = await self._links.make(actor, task)
        return TaskLink(id=link_id, link=f"{self._url}/#/task/{token}", token=token)

    @operation(summary="Take a task's link back", rest=("DELETE", "/v1/tasks/{id}/link"))
    async def unlink(self, call: Call, request: OneTask) -> Done:
        """Let the link be used no more. For those who may answer."""
        _, task = await self._answerable(call, request.id)
        await self._links.revoke(task)
        return Done()

    @operation(
        summary="Look at what a link asks",
        rest=("GET", "/v1/task-links/{token}"),
        socket=False,
        public=True,
        errors=("task_link_invalid", "rate_limited"),
    )
    async def look(self, call: Call, request: TaskToken) -> LinkedTask:
        """Tell the question to whoever holds the link; changes nothing. Attempts are limited."""
        task, maker = await self._links.look(request.token, caller_address(call))
        return LinkedTask(
            question=question_view(task),
            asked_by=maker,
            created_at=task.created_at,
            due_at=task.due_at,
        )

    @operation(
        summary="Answer by a link",
        rest=("POST", "/v1/task-links/{token}"),
        socket=False,
        public=True,
        errors=("task_link_invalid", "rate_limited"),
    )
    async def answer_by_link(self, call: Call, request: AnswerByLink) -> Done:
        """Answer in the name that one gives, without an account; the link is used up. Attempts are limited."""
        await self._links.answer(request.token, request.answer, request.name, caller_address(call))
        return Done()

    async def _view(self, actor: Actor, task: TaskRecord) -> TaskView:
        thing = await task_access(task, self._access)
        return task_view(task, may_answer=allowed(actor, "task.answer", thing))

    async def _readable(self, call: Call, task_id: str) -> tuple[Actor, TaskRecord]:
        """To whom a task is no concern there is none."""
        actor = require(
            call.actor, "user.read", UserAccess(call.actor.user_id if call.actor else "")
        )
        task = await self._tasks.get(task_id)
        try:
            thing = await task_access(task, self._access)
        except NotFound as error:
            raise TaskMissing(task_id) from error
        if not allowed(actor, "task.read", thing):
            raise TaskMissing(task_id)
        return actor, task

    async def _answerable(self, call: Call, task_id: str) -> tuple[Actor, TaskRecord]:
        actor, task = await self._readable(call, task_id)
        require(actor, "task.answer", await task_access(task, self._access))
        return actor, task


def announce_tasks(registry: Registry) -> None:
    """Document the events that this service sends to sockets."""
    registry.announce(
        "tasks.changed", TasksChanged, "A run asks people something, or what became of it"
    )
