"""The nodes that ask people: what they ask, and what they make of the answer. How it waits: server/SPEC.md, P."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spellwork import SKIP, Context, Library, Node, NodeError, NodeSkipped
from spellwork.answers import AnswerInvalid, check_answer, check_question
from spellwork.asking import Question
from spellwork.context import DetachedHost
from spellwork_people.durations import seconds
from spellwork_people.form import form_ports

LIBRARY = Library.installed()


def ask(type: str, answer: Any, **inputs: Any) -> tuple[Question, Any]:
    """Call a node with an answer at hand; return what it asked, and what it gave."""
    node_type = LIBRARY.get(type)
    assert node_type is not None
    host = DetachedHost(user="ada")
    host.answers.append(answer)
    context = Context("n", Node(type=type), host)
    given = asyncio.run(node_type.call(context, **inputs))
    return host.questions[0], given


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, None),
        ("", None),
        (0, None),
        (90, 90),
        ("90", 90),
        ("90 s", 90),
        ("1.5h", 5_400),
        ("2 days, 12 hours", 216_000),
        ("1 week", 604_800),
        ("3 min 2 sec", 182),
    ],
)
def test_a_duration_is_read_as_people_write_it(written: Any, meant: Any) -> None:
    assert seconds(written, "due") == meant


@pytest.mark.parametrize("written", ["soon", "2 moons", "-3", "1e99", "nan", "h", "2 h ago", 1e12])
def test_what_is_no_duration_is_refused_at_its_port(written: Any) -> None:
    with pytest.raises(NodeError) as refused:
        seconds(written, "due")
    assert refused.value.port == "due"


def test_whom_an_approval_asks_and_what_it_shows() -> None:
    answer = {"approved": False, "comment": "No", "by": {"id": "b"}, "at": 1.0}
    asked, given = ask("people.approval", answer, value=[1], assignee=" editor ", due="1 h")
    assert (asked.role, asked.user, asked.due, asked.data) == ("editor", None, 3600.0, [1])
    assert given == {"approved": SKIP, "rejected": [1], "by": {"id": "b"}, "comment": "No"}
    asked, _ = ask("people.approval", answer, value="x" * 20_000)
    assert (asked.user, asked.data) == ("ada", None)
    assert "too large" in asked.text


def test_a_form_has_an_output_for_each_field() -> None:
    fields = [{"name": "n", "type": "number"}, {"name": "all"}]
    ports = form_ports(Node(type="people.form", inputs={"fields": fields}))
    assert [port.name for port in ports.outputs] == ["n", "all", "by"]
    assert ports.outputs[0].schema == {"type": "number"}
    assert [port.name for port in form_ports(Node(type="people.form")).outputs] == ["all", "by"]
    with pytest.raises(NodeError, match="an output already"):
        ask("people.form", {}, fields=fields)


@pytest.mark.parametrize(
    ("type", "inputs"),
    [
        ("people.form", {"fields": [{"name": "n"}], "on_timeout": "default"}),
        ("people.form", {"fields": [{"name": "n", "type": "choice"}]}),
        ("people.form", {"fields": [{"name": "n", "type": "number", "default": "x"}]}),
        ("people.choice", {"options": ["A"], "on_timeout": "default", "default": "B"}),
    ],
)
def test_a_question_that_nobody_could_answer_is_not_asked(type: str, inputs: Any) -> None:
    with pytest.raises(NodeError) as refused:
        ask(type, {}, **inputs)
    assert refused.value.code == "question_invalid"


def test_a_node_whose_time_is_over_without_default_is_skipped() -> None:
    with pytest.raises(NodeSkipped, match="in time"):
        ask("people.choice", None, options=["A"], on_timeout="reject")


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ([], "answer"),
        ({}, "approved"),
        ({"approved": 1}, "approved"),
        ({"approved": True, "comment": 3}, "comment"),
        ({"approved": True, "comment": "x" * 20_001}, "comment"),
        ({"approved": True, "by": "me"}, "by"),
    ],
)
def test_what_is_no_answer_is_refused_by_field(answer: Any, field: str) -> None:
    question = Question(kind="approval", title="May it?")
    check_question(question)
    with pytest.raises(AnswerInvalid) as refused:
        check_answer(question, answer)
    assert [each["field"] for each in refused.value.errors] == [field]
