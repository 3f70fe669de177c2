"""What a node gets for its question, from what became of the task."""

from __future__ import annotations

from typing import Any

from spellwork import NodeError
from spellwork.answers import check_answer
from spellwork.asking import Question
from spellwork_server.storage.tasks import BY_LINK, TaskRecord

from .errors import answerer


class NotAnswered(NodeError):
    """Nobody answered in time, or nobody can any more."""

    code = "not_answered"
    retryable = False


def outcome(task: TaskRecord) -> dict[str, Any] | None:
    """Return the answer with ``by`` and ``at``; None where the default of an expired question is that.

    Raises NotAnswered.
    """
    if task.state == "answered" and task.answer is not None:
        return {**task.answer["answer"], "by": _person(task), "at": task.answered_at}
    if task.state == "withdrawn":
        raise NotAnswered(f"{task.title!r} was withdrawn, because the run ended")
    question = Question.from_json(task.question)
    if question.on_timeout == "fail":
        raise NotAnswered(f"nobody answered {task.title!r} in time")
    if question.default is None:
        return None
    return {**check_answer(question, question.default), "by": None, "at": task.answered_at}


def _person(task: TaskRecord) -> dict[str, Any]:
    by_link = task.answered_by == BY_LINK
    return {
        "id": None if by_link else task.answered_by,
        "name": answerer(task),
        "email": None if by_link else task.answered_by_email,
    }
