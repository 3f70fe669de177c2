"""What the operations of tasks take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from spellwork_server.identity.policy import CanvasRole
from spellwork_server.storage.tasks import BY_LINK, State, TaskRecord, asking_node
from spellwork_server.tasks.errors import answerer

from .auth import Secret
from .comment_models import Cursor, PersonView
from .service import Request, View

TaskId = Annotated[str, Field(min_length=1, max_length=64)]
News = Literal["asked", "answered", "expired", "withdrawn", "assigned", "reminder"]


class QuestionView(View):
    """What is asked. ``data`` is what it is about, where the node shows that."""

    kind: Literal["approval", "form", "choice"]
    title: str
    text: str = Field(description="Markdown.")
    fields: dict[str, Any] | None = Field(
        default=None, description="Of a form: its JSON Schema, flat; see docs/people.md."
    )
    choices: list[str] = Field(default_factory=list, description="Of a choice.")
    several: bool = Field(default=False, description="Whether a choice may be of several.")
    data: Any = None


class AnswererView(View):
    """Who answered. ``id`` is None for somebody who had the link, with the name that they gave."""

    id: str | None
    name: str


class TaskView(View):
    """A question of a run, and what became of it.

    Answers: of an approval ``{approved, comment?}``, of a form ``{values: {field: value}}``, of a choice
    ``{choice}``, with ``several`` a list.
    """

    id: str
    run: str
    node: str = Field(description="Path of the node that asks.")
    canvas: str | None
    canvas_name: str | None
    private: bool = Field(description="Whether the run is for its owner alone.")
    question: QuestionView
    assignee: PersonView | None = Field(description="Who is asked, where it is somebody.")
    role: CanvasRole | None = Field(
        description="Else who is asked: all with at least this role on the canvas."
    )
    state: State
    started_by: PersonView = Field(description="Whose run it is.")
    created_at: float
    due_at: float | None = Field(description="When the time is over.")
    on_timeout: Literal["fail", "default"]
    remind_at: float | None
    reminded_at: float | None
    settled_at: float | None = Field(description="When it ceased to be open.")
    answered_by: AnswererView | None
    answer: dict[str, Any] | None
    linked: bool = Field(description="Whether there is a link by which it can be answered.")
    link_id: str | None = Field(description="Which link that is: the `id` that its maker was told.")
    may_answer: bool | None = Field(
        default=None, description="Whether the caller may; None in what is told to many."
    )


class TaskList(View):
    """Tasks, the latest first."""

    items: list[TaskView]
    open: int = Field(description="How many open ones are asked of the caller, on all canvases.")
    next: str | None = Field(description="Ask for more with `after` = this.")


class TasksChanged(View):
    """``tasks.changed``: a task is new or changed.

    On your own channel ``open`` is how many are asked of you, and ``mine`` whether this one is.

    ``task`` is None for who was asked until it was handed on, and may not read it any more.
    """

    id: str
    task: TaskView | None
    news: News
    open: int | None = None
    mine: bool | None = None


class FindTasks(Request):
    """Which tasks."""

    state: Literal["open", "settled", "all"] = "open"
    canvas: str | None = Field(default=None, min_length=1, max_length=64)
    run: str | None = Field(default=None, min_length=1, max_length=64)
    mine: bool = Field(default=False, description="Only what is asked of the caller.")
    limit: int = Field(default=50, ge=1, le=100)
    after: Cursor


class OneTask(Request):
    """A task."""

    id: TaskId


class AnswerTask(OneTask):
    """The answer; what it must be follows from the question."""

    answer: dict[str, Any]


class AssignTask(OneTask):
    """Whom to ask instead: a user by id or email address, or all with at least a role."""

    user: str | None = Field(default=None, min_length=1, max_length=320)
    role: CanvasRole | None = None


class TaskLink(View):
    """The link, shown this once. It is good for one answer, until the task is settled or it is taken back."""

    id: str
    link: str
    token: str


class TaskToken(Request):
    """What the link's address ends with."""

    token: Secret


class AnswerByLink(TaskToken):
    """The answer, and the name of who gives it."""

    answer: dict[str, Any]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class LinkedTask(View):
    """What whoever holds the link sees: the question, and nothing of the canvas."""

    question: QuestionView
    asked_by: str = Field(description="Name of the person who made the link.")
    created_at: float
    due_at: float | None


STATES: dict[str, tuple[State, ...]] = {
    "open": ("open",),
    "settled": ("answered", "expired", "withdrawn"),
    "all": ("open", "answered", "expired", "withdrawn"),
}


def question_view(task: TaskRecord) -> QuestionView:
    """Return a question as it is shown."""
    body = task.question
    return QuestionView(
        kind=body["kind"],
        title=body["title"],
        text=body.get("text", ""),
        fields=body.get("schema"),
        choices=body.get("choices", []),
        several=body.get("several", False),
        data=body.get("data"),
    )


def task_view(task: TaskRecord, *, may_answer: bool | None = None) -> TaskView:
    """Return a task as it is shown."""
    return TaskView(
        id=task.id,
        run=task.run,
        node=asking_node(task.node),
        canvas=task.canvas_id,
        canvas_name=task.canvas_name,
        private=task.audience == "private",
        question=question_view(task),
        assignee=_person(task.assignee_id, task.assignee_name),
        role=task.assignee_role,
        state=task.state,
        started_by=PersonView(id=task.created_by, name=task.created_by_name or ""),
        created_at=task.created_at,
        due_at=task.due_at,
        on_timeout=task.question.get("on_timeout", "fail"),
        remind_at=task.remind_at,
        reminded_at=task.reminded_at,
        settled_at=task.answered_at,
        answered_by=_answerer(task),
        answer=None if task.answer is None else task.answer["answer"],
        linked=task.link_by is not None and task.is_open,
        link_id=task.link_id,
        may_answer=may_answer,
    )


def _person(user: str | None, name: str | None) -> PersonView | None:
    return None if user is None else PersonView(id=user, name=name or "")


def _answerer(task: TaskRecord) -> AnswererView | None:
    if task.answered_by is None:
        return None
    by_link = task.answered_by == BY_LINK
    return AnswererView(id=None if by_link else task.answered_by, name=answerer(task) or "")
