"""Tasks: a run asks, people answer, and the run goes on with that, wherever it is by then.

A question is a row before its run says that it waits, under the run and the
path of the node: a run that comes there again finds it. What ends it is one
update of a row that is open, so of several who try one does. Then whoever has
the run is told: here by the future that its node waits with, in another
process by that looking (POLL), and a run that nobody carries by ``goes_on``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Literal, Protocol, Self
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork import NodeError
from spellwork.answers import AnswerInvalid, check_answer, check_question
from spellwork.asking import Asker, Question
from spellwork_server.errors import BadRequest
from spellwork_server.runs.asking import Asked
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.tasks import (
    ENDED,
    NewTask,
    TaskRecord,
    TaskRecords,
    insert_task,
    reopen_task,
    task_of,
)

from .assignees import Assignee, Assignees, UnknownAssignee
from .errors import TaskMissing, TaskSettled
from .waiting import Waiting, put

POLL = 1.0
"""Seconds after which a process looks whether another one took the answer that a run of its own waits for."""


class EndedRun(Protocol):
    """What is needed of ``runs.Run``."""

    id: str

    @property
    def status(self) -> str:
        """Where it stands."""


News = Literal["asked", "answered", "expired", "withdrawn", "assigned", "reminder"]
Tell = Callable[[TaskRecord, News, TaskRecord | None], Awaitable[None]]
GoesOn = Callable[[str], Awaitable[None]]

logger = logging.getLogger(__name__)


class Tasks:
    """All tasks, as an async context manager: leaving it waits for what is under way."""

    def __init__(
        self,
        records: TaskRecords,
        commits: GroupCommit,
        assignees: Assignees,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._commits = commits
        self._assignees = assignees
        self._clock = clock
        self._waiting = Waiting()
        self._goes_on: GoesOn | None = None
        self._watchers: list[Tell] = []
        self._tasks = asyncio.TaskGroup()
        self.asked = asyncio.Event()
        """Set when there is a new question, with times of its own."""
        self._asked_here: set[str] = set()
        """Runs that asked in this process, and have not ended since."""

    def attach(self, goes_on: GoesOn) -> None:
        """Name what makes a run go on that waits in no process, by its id."""
        self._goes_on = goes_on

    def watch(self, callback: Tell) -> None:
        """Call ``callback(task, news, before)`` after each change of a task by this process.

        ``before`` is the task as it was, where others were asked then.
        """
        self._watchers.append(callback)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._tasks.__aexit__(None, None, None)

    # For runs

    def asker_of(self, asked: Asked) -> Asker:
        """Return what puts a run's questions, each once: asked again by the same path it is the same."""

        async def ask(path: str, question: Question) -> asyncio.Future[Any]:
            return await self._ask(asked, path, question)

        return ask

    async def is_answered(self, run: str) -> bool:
        """Say whether something that a run which rests had asked is settled, and it has not taken that."""
        return await self._records.is_settled(run)

    async def _ask(self, asked: Asked, path: str, question: Question) -> asyncio.Future[Any]:
        new = await self._new(asked, path, question)
        await asked.secure()
        self._asked_here.add(asked.run)
        future = self._waiting.begin((asked.run, path))  # first: an answer may come with the commit
        try:
            task = await self._commits.submit(_asking(new))
        except BaseException:
            future.cancel()
            raise
        if not task.is_open:
            if not future.done():
                put(future, task)
            await self._records.note_handed(task.id)
        else:
            self.asked.set()
            if task.created_at == new.created_at:
                self._spawn(self._tell(task, "asked"))
        return future

    async def _new(self, asked: Asked, path: str, question: Question) -> NewTask:
        body = asked.masked(question.to_json())
        try:
            check_question(question)
            assignee = await self._assignees.find(
                asked.canvas, user=question.user, role=question.role, otherwise=asked.user
            )
        except (UnknownAssignee, ValueError) as error:
            raise NodeError(str(error), code="question_invalid", retryable=False) from error
        now = self._clock()
        return NewTask(
            id=uuid4().hex,
            run=asked.run,
            node=path,
            canvas_id=asked.canvas,
            kind=question.kind,
            title=body["title"],
            text=body.get("text", ""),
            question=body,
            assignee_id=assignee.user,
            assignee_role=assignee.role,
            created_by=asked.user,
            created_at=now,
            due_at=None if question.due is None else now + question.due,
            remind_at=None if question.remind is None else now + question.remind,
        )

    def run_ended(self, run: EndedRun) -> None:
        """Withdraw what a run still asks that has ended for good; a watcher for ``Runners``."""
        if run.id in self._asked_here and run.status in ENDED:
            self._asked_here.discard(run.id)
            self._spawn(self.withdraw(run.id))

    def run_gone(self, run: str) -> None:
        """Withdraw what a run asked that was ended while nobody carried it; a watcher for ``Runners``."""
        self._asked_here.discard(run)
        self._spawn(self.withdraw(run))

    async def withdraw(self, run: str) -> None:
        """Withdraw what a run still asks that goes on no more."""
        still_open = await self._records.of_runs([run], settled=False)
        await self._records.end_of_run(run)
        for task in still_open:
            await self._told(task.id, "withdrawn")

    # For people

    async def get(self, task: str) -> TaskRecord:
        """Return a task. Raises TaskMissing."""
        found = await self._records.get(task)
        if found is None:
            raise TaskMissing(task)
        return found

    async def answer(
        self,
        task: TaskRecord,
        answer: Any,
        *,
        by: str,
        signed: str | None = None,
        link_hash: str | None = None,
    ) -> TaskRecord:
        """Answer a task as a user (an id), or as who holds its link; that they may is for the caller to check.

        The first answer counts. Raises BadRequest naming each wrong field, and TaskSettled.
        """
        if not task.is_open:
            raise TaskSettled(task)
        try:
            checked = check_answer(Question.from_json(task.question), answer)
        except AnswerInvalid as error:
            raise BadRequest(str(error), details={"errors": error.errors}) from error
        kept = {"answer": checked, "signed": signed}
        settled = await self._records.settle(
            task.id, "answered", answer=kept, by=by, link_hash=link_hash
        )
        if not settled:
            raise TaskSettled(await self.get(task.id))
        return await self._settled(task.id, "answered")

    async def assign(self, task: TaskRecord, user: str | None, role: str | None) -> TaskRecord:
        """Ask somebody else (an id or address), or a role. Raises BadRequest and TaskSettled."""
        try:
            found: Assignee = await self._assignees.find(
                task.canvas_id, user=user, role=role, otherwise=task.created_by
            )
        except UnknownAssignee as error:
            raise BadRequest.field("user" if role is None else "role", str(error)) from error
        if not await self._records.assign(task.id, user_id=found.user, role=found.role):
            raise TaskSettled(await self.get(task.id))
        return await self._told(task.id, "assigned", before=task)

    async def changed(self, task_id: str) -> None:
        """Tell of a task whose link changed."""
        await self._told(task_id, "assigned")

    async def _settled(self, task_id: str, news: News) -> TaskRecord:
        """Hand what became of a task to its run, and tell people."""
        task = await self._told(task_id, news)
        if not self._waiting.hand(task):
            self._spawn(self._go_on(task.run))
        return task

    async def _go_on(self, run: str) -> None:
        if self._goes_on is not None:
            await self._goes_on(run)

    async def _told(self, task_id: str, news: News, before: TaskRecord | None = None) -> TaskRecord:
        task = await self.get(task_id)
        await self._tell(task, news, before)
        return task

    async def _tell(self, task: TaskRecord, news: News, before: TaskRecord | None = None) -> None:
        for callback in self._watchers:
            try:
                await callback(task, news, before)
            except Exception:  # the edge of telling: what was done is done
                logger.exception("could not tell of task %s", task.id)

    # Times

    async def look(self) -> None:
        """Do what is to be done at this time: expire, remind, and hand on what other processes settled."""
        for task in await self._records.due():
            if await self._records.settle(task.id, "expired"):
                await self._settled(task.id, "expired")
        for task in await self._records.to_remind():
            again = Question.from_json(task.question).remind
            next_at = None if again is None else self._clock() + again
            if await self._records.note_reminded(task, next_at):
                await self._told(task.id, "reminder")
        if self._waiting:
            for task in await self._records.of_runs(self._waiting.runs, settled=True):
                self._waiting.hand(task)

    async def make_good(self) -> None:
        """Do what a crash left undone."""
        for run in await self._records.left_open():
            await self.withdraw(run)
        for run in await self._records.not_handed():
            await self._go_on(run)

    async def rest(self, longest: float) -> float:
        """Return for how many seconds there is nothing to do."""
        next_at = await self._records.next_at()
        wait = longest if next_at is None else min(longest, max(0.05, next_at - self._clock()))
        return min(wait, POLL) if self._waiting else wait

    def _spawn(self, work: Any) -> None:
        self._tasks.create_task(_safely(work))


def _asking(new: NewTask) -> Callable[[AsyncConnection], Awaitable[TaskRecord]]:
    """Return what keeps a question, unless the run has asked it; one that failed for want of an answer is asked anew."""

    async def write(conn: AsyncConnection) -> TaskRecord:
        found = await task_of(conn, new.run, new.node)
        if found is None:
            await insert_task(conn, new)
        elif found.handed_at is not None and found.state in ("expired", "withdrawn"):
            await reopen_task(conn, new, found.id)
        else:
            return found
        made = await task_of(conn, new.run, new.node)
        assert made is not None
        return made

    return write


async def _safely(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:  # the edge of work that nobody waits for
        logger.exception("fault in the background of tasks")
