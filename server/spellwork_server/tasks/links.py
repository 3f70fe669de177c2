"""Links by which a task can be answered without an account: once, by whoever holds the token.

What the person who made one may no longer do, it does not do either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from spellwork_server.identity.actor import Actor
from spellwork_server.identity.attempts import Attempts
from spellwork_server.identity.policy import allowed
from spellwork_server.identity.secrets import digest, new_token
from spellwork_server.storage.tasks import BY_LINK, TaskRecord, TaskRecords, link_id_of

from .access import Access, task_access
from .errors import TaskLinkInvalid, TaskSettled
from .tasks import Tasks

FindsActor = Callable[[str], Awaitable[Actor | None]]


class TaskLinks:
    """The links of tasks, with their rules."""

    def __init__(
        self,
        records: TaskRecords,
        tasks: Tasks,
        find_actor: FindsActor,
        access: Access,
        attempts: Attempts,
    ) -> None:
        self._records = records
        self._tasks = tasks
        self._find_actor = find_actor
        self._access = access
        self._attempts = attempts

    async def make(self, actor: Actor, task: TaskRecord) -> tuple[str, str]:
        """Return the token of a new link, told this once, and the link's id; the one before ends. Raises TaskSettled."""
        token = new_token()
        if not await self._records.put_link(task.id, digest(token), actor.user_id):
            raise TaskSettled(await self._tasks.get(task.id))
        await self._tasks.changed(task.id)
        return token, link_id_of(digest(token))

    async def revoke(self, task: TaskRecord) -> None:
        """Let the link be used no more; nothing happens where there is none."""
        if await self._records.put_link(task.id, None, None):
            await self._tasks.changed(task.id)

    async def look(self, token: str, address: str) -> tuple[TaskRecord, str]:
        """Return what a link is for, and the name of who made it. Raises TaskLinkInvalid, or RateLimited."""
        self._attempts.note_address(address)
        return await self._valid(token)

    async def answer(self, token: str, answer: Any, name: str, address: str) -> TaskRecord:
        """Answer by a link. Raises TaskLinkInvalid, BadRequest naming each wrong field, or RateLimited."""
        self._attempts.note_address(address)
        task, _ = await self._valid(token)
        try:
            return await self._tasks.answer(
                task, answer, by=BY_LINK, signed=name, link_hash=digest(token)
            )
        except TaskSettled as error:  # who answered is not for whoever has a link that is used up
            raise TaskLinkInvalid from error

    async def _valid(self, token: str) -> tuple[TaskRecord, str]:
        task = await self._records.by_link(digest(token))
        if task is None or not task.is_open or task.link_by is None:
            raise TaskLinkInvalid
        maker = await self._find_actor(task.link_by)
        thing = await task_access(task, self._access)
        if maker is None or not allowed(maker, "task.answer", thing):
            raise TaskLinkInvalid
        return task, maker.name
