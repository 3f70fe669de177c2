"""Runs ask people: who may answer, what counts as an answer, and what becomes of the run (SPEC P)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork import Question
from spellwork_server.grants.masking import Masks
from spellwork_server.runs.asking import Asked
from spellwork_server.tasks import Tasks
from spellwork_server.tasks.assignees import Assignees
from tests.server.services.house import Caller

from .desk import FIELDS, Desk, approval, desk, spell, until

pytestmark = pytest.mark.anyio

YES = {"approved": True}


@pytest.mark.rule("P1", "P4")
async def test_a_run_rests_until_somebody_answers_and_goes_on_with_that(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(text="*Twelve* in all.")) as d:
        run = await d.run()
        task = await d.asks(run)
        await d.rests(run)
        assert task["question"] == {
            "kind": "approval",
            "title": "Send it?",
            "text": "*Twelve* in all.",
            "fields": None,
            "choices": [],
            "several": False,
            "data": {"sum": 12},
        }
        assert (task["node"], task["state"], task["may_answer"]) == ("ask", "open", True)
        answered = await d.answer(task["id"], {"approved": True, "comment": "Fine"})
        assert answered.status == 200
        assert answered.body["answered_by"]["name"] == "ada"
        outputs = (await d.ended(run))["outputs"]
        assert outputs["ask"]["approved"] == outputs["z"]["value"] == {"sum": 12}
        assert outputs["ask"]["comment"] == "Fine"
        assert outputs["ask"]["by"]["email"] == "ada@example.org"
        assert (await d.events(run, "a")).count("node.started") == 1


@pytest.mark.rule("P1")
async def test_a_rejected_value_leaves_by_the_other_way(tmp_path: Path) -> None:
    async with desk(tmp_path, approval()) as d:
        run = await d.run()
        await d.answer((await d.asks(run))["id"], {"approved": False})
        ended = await d.ended(run)
        assert "approved" not in ended["outputs"]["ask"]
        assert ended["outputs"]["ask"]["rejected"] == {"sum": 12}
        assert "z" in ended["skipped"]


@pytest.mark.rule("P1", "P3")
async def test_a_form_brings_each_field_and_wrong_ones_are_named(tmp_path: Path) -> None:
    async with desk(tmp_path, spell("people.form", {"fields": FIELDS}, "customer")) as d:
        run = await d.run()
        task = await d.asks(run)
        wrong = {"amount": 11, "express": "yes", "size": "M", "day": "2031-02-30", "more": 1}
        refused = await d.answer(task["id"], {"values": wrong, "at": 1})
        assert refused.status == 400
        assert {
            each["field"]: each["message"] for each in refused.body["error"]["details"]["errors"]
        } == {
            "at": "is not known here",
            "values.more": "is no field of this form",
            "values.customer": "is required",
            "values.amount": "must be at most 10",
            "values.express": "must be true or false",
            "values.size": "must be one of the options",
            "values.day": "must be a day, as 2031-05-17",
        }
        good = {"customer": "Acme", "amount": 2.5}
        assert (await d.answer(task["id"], {"values": good})).status == 200
        outputs = (await d.ended(run))["outputs"]
        filled = good | {"express": False, "size": "S", "day": None}
        assert outputs["ask"]["all"] == filled
        assert outputs["ask"]["size"] == "S"
        assert "day" not in outputs["ask"]
        assert outputs["z"]["value"] == "Acme"


@pytest.mark.rule("P3")
@pytest.mark.parametrize(
    ("several", "wrong", "right", "out"),
    [
        (False, "Z", "B", {"name": "B", "price": 2}),
        (False, ["A"], "A", "A"),
        (True, ["A", "A"], ["A"], ["A"]),
        (True, "A", [], []),
    ],
)
async def test_a_choice_is_of_its_options(
    tmp_path: Path, several: bool, wrong: Any, right: Any, out: Any
) -> None:
    options = ["A", {"name": "B", "price": 2}]
    asking = spell("people.choice", {"options": options, "several": several}, "choice")
    async with desk(tmp_path, asking) as d:
        run = await d.run()
        task = await d.asks(run)
        refused = await d.answer(task["id"], {"choice": wrong})
        assert (refused.status, refused.code) == (400, "bad_request")
        assert (await d.answer(task["id"], {"choice": right})).status == 200
        assert (await d.ended(run))["outputs"]["ask"]["choice"] == out


@pytest.mark.rule("P4")
async def test_of_two_who_answer_at_once_one_does_and_the_other_is_told(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(assignee="editor")) as d:
        bob = await d.member("bob", "editor")
        run = await d.run()
        task = await d.asks(run)
        both = await asyncio.gather(
            d.answer(task["id"], YES), d.answer(task["id"], {"approved": False}, bob)
        )
        first, second = sorted(both, key=lambda answer: answer.status)
        assert (first.status, second.status, second.code) == (200, 409, "task_settled")
        details = second.body["error"]["details"]
        assert details["by"] == first.body["answered_by"]["id"]
        assert details["at"] == first.body["settled_at"]
        assert details["by_name"] in second.body["error"]["message"]
        outputs = (await d.ended(run))["outputs"]["ask"]
        assert ("approved" in outputs) == first.body["answer"]["approved"]


WHO = [
    ("", {"ada"}),
    ("bob@example.org", {"bob", "ada"}),
    ("runner", {"rita", "ed", "ada"}),
    ("editor", {"ed", "ada"}),
    ("owner", {"ada"}),
    ("viewer", {"bob", "rita", "ed", "ada"}),
]


@pytest.mark.rule("P2", "P7")
@pytest.mark.parametrize(("assignee", "may"), WHO)
async def test_only_who_is_asked_and_owners_may_answer(
    tmp_path: Path, assignee: str, may: set[str]
) -> None:
    async with desk(tmp_path, approval(assignee=assignee)) as d:
        people = {
            "bob": await d.member("bob", "viewer"),
            "rita": await d.member("rita", "runner"),
            "ed": await d.member("ed", "editor"),
            "eve": await d.house.person("eve"),
            "ada": d.ada,
        }
        task = await d.asks(await d.run())
        for name, person in people.items():
            shown = await person.get(f"/v1/tasks/{task['id']}")
            if name == "eve":
                assert (shown.status, shown.code) == (404, "not_found")
            else:
                assert shown.body["may_answer"] == (name in may)
            if name not in may:
                refused = await d.answer(task["id"], YES, person)
                assert refused.code == ("not_found" if name == "eve" else "forbidden")
        asked = may - ({"ada"} if assignee.startswith("bob") else set())
        for name, person in people.items():
            mine = (await person.get("/v1/tasks?mine=true")).body
            assert (len(mine["items"]), mine["open"]) == ((1, 1) if name in asked else (0, 0)), name
        if "bob" in may:  # who is taken off the canvas has it no more, at once
            bob = people["bob"]
            assert bob.user is not None
            path = f"/v1/canvases/{d.canvas}/members?email={bob.user.email}"
            assert (await d.ada.delete(path)).status == 200
            assert (await d.answer(task["id"], YES, bob)).code == "not_found"
            assert (await bob.get("/v1/tasks")).body["open"] == 0


@pytest.mark.rule("P2")
async def test_a_question_of_a_private_run_is_for_whom_it_asks(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(assignee="bob@example.org")) as d:
        bob, ed = await d.member("bob", "viewer"), await d.member("ed", "editor")
        task = await d.asks(await d.run(audience="private"))
        assert (await ed.get(f"/v1/tasks/{task['id']}")).code == "not_found"
        assert (await ed.get("/v1/tasks")).body["items"] == []
        owner = await d.member("olga", "owner")
        assert (await owner.get(f"/v1/tasks/{task['id']}")).code == "not_found"
        assert (await owner.get("/v1/tasks")).body["items"] == []
        assert (await bob.get("/v1/tasks")).body["items"][0]["private"] is True
        assert (await d.answer(task["id"], YES, bob)).status == 200


@pytest.mark.rule("P12")
@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"assignee": "nobody@example.org"}, "no account"),
        ({"assignee": "eve@example.org"}, "no member"),
        ({"due": "soon"}, "no duration"),
        ({"title": ""}, "title"),
    ],
)
async def test_a_question_that_nobody_could_answer_fails_its_node(
    tmp_path: Path, inputs: dict[str, Any], said: str
) -> None:
    async with desk(tmp_path, approval(**inputs)) as d:
        await d.house.person("eve")
        ended = await d.ended(await d.run())
        assert said in ended["errors"]["ask"]["message"]
        assert (await d.ada.get("/v1/tasks?state=all")).body["items"] == []


@pytest.mark.rule("P11")
async def test_secrets_are_not_shown_with_a_question(tmp_path: Path) -> None:
    async with desk(tmp_path, approval()) as d:
        run = await d.run()
        await d.asks(run)
        masks = Masks()
        masks.add("hunter22")
        assert d.ada.user is not None

        async def kept() -> None:
            """Return: the run is kept."""

        asked = Asked(run, d.canvas, d.ada.user.id, "s", "shared", kept, masks.plain)
        ask = d.house.parts.running.tasks.asker_of(asked)
        question = Question(kind="approval", title="Is hunter22 it?", data={"key": ["hunter22"]})
        (await ask("other", question)).cancel()
        listed = (await d.ada.get(f"/v1/tasks?run={run}")).body["items"]
        shown = next(each["question"] for each in listed if each["node"] == "other")
        assert (shown["title"], shown["data"]) == ("Is *** it?", {"key": ["***"]})


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self, d: Desk) -> None:
        self.now = 1_000_000.0
        self.tasks = d.house.parts.running.tasks
        self.tasks._clock = self
        d.house.parts.stores.tasks._clock = self

    def __call__(self) -> float:
        return self.now

    async def pass_(self, seconds: float) -> None:
        self.now += seconds
        await self.tasks.look()


@pytest.mark.rule("P5")
@pytest.mark.parametrize(
    ("asking", "outputs", "error"),
    [
        (approval(due=60), None, "not_answered"),
        (approval(due="1 min", on_timeout="reject"), {"rejected": {"sum": 12}}, None),
        (approval(due="0.5 min 30s", on_timeout="approve"), {"approved": {"sum": 12}}, None),
        (
            spell(
                "people.form",
                {
                    "fields": [{"name": "n", "type": "number", "default": 4}],
                    "due": 60,
                    "on_timeout": "default",
                },
                "n",
            ),
            {"n": 4},
            None,
        ),
        (
            spell(
                "people.choice",
                {"options": ["A", "B"], "due": 60, "on_timeout": "default", "default": "B"},
                "choice",
            ),
            {"choice": "B"},
            None,
        ),
        (
            spell("people.choice", {"options": ["A"], "due": 60, "on_timeout": "reject"}, "choice"),
            "skipped",
            None,
        ),
    ],
)
async def test_when_the_time_is_over_a_default_is_taken_or_the_node_fails(
    tmp_path: Path, asking: dict[str, Any], outputs: Any, error: str | None
) -> None:
    async with desk(tmp_path, asking) as d:
        clock = Clock(d)
        run = await d.run()
        task = await d.asks(run)
        await d.rests(run)
        assert task["due_at"] == clock.now + 60
        await clock.pass_(59)
        assert (await d.ada.get(f"/v1/tasks/{task['id']}")).body["state"] == "open"
        await clock.pass_(1)
        assert (await d.ada.get(f"/v1/tasks/{task['id']}")).body["state"] == "expired"
        late = await d.answer(task["id"], YES)
        assert (late.code, late.body["error"]["details"]["state"]) == ("task_settled", "expired")
        ended = await d.ended(run)
        if error is not None:
            assert ended["errors"]["ask"]["code"] == error
        elif outputs == "skipped":
            assert "in time" in ended["skipped"]["ask"]
        else:
            assert outputs.items() <= ended["outputs"]["ask"].items()
            assert ended["outputs"]["ask"]["by"] is None


@pytest.mark.rule("P5")
async def test_reminders_and_the_end_come_once_whichever_process_is_first(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(due=100, reminder=40)) as d:
        clock = Clock(d)
        stores = d.house.parts.stores
        other = Tasks(
            stores.tasks,
            stores.commits,
            Assignees(stores.users, stores.canvases.access),
            clock=clock,
        )
        told: list[str] = []

        async def tell(_task: Any, news: str, _before: Any) -> None:
            told.append(news)

        clock.tasks.watch(tell)
        other.watch(tell)
        run = await d.run()
        await d.asks(run)
        await d.rests(run)
        while "asked" not in told:
            await asyncio.sleep(0.01)
        told.clear()
        async with other:
            for seconds, so_far in ((39, 0), (1, 1), (10, 1), (30, 2)):
                clock.now += seconds
                await asyncio.gather(clock.tasks.look(), other.look())
                assert told == ["reminder"] * so_far
            clock.now += 20
            await asyncio.gather(clock.tasks.look(), other.look())
            assert told.count("expired") == 1
        await clock.tasks.make_good()  # as the other would, had it not just stopped
        assert (await d.ended(run))["errors"]["ask"]["code"] == "not_answered"


@pytest.mark.rule("P6")
async def test_a_run_that_is_cancelled_or_removed_withdraws_what_it_asks(tmp_path: Path) -> None:
    async with desk(tmp_path, approval()) as d:
        run = await d.run()
        task = await d.asks(run)
        await d.rests(run)
        assert (await d.ada.post(f"/v1/runs/{run}/cancel")).status == 200

        async def withdrawn() -> bool:
            shown = (await d.ada.get(f"/v1/tasks/{task['id']}")).body
            return bool(shown["state"] == "withdrawn")

        await until(withdrawn)
        assert (await d.answer(task["id"], YES)).code == "task_settled"
        assert (await d.ada.get("/v1/tasks")).body["open"] == 0
        assert (await d.ada.delete(f"/v1/runs/{run}")).status == 200
        assert (await d.ada.get(f"/v1/tasks/{task['id']}")).code == "not_found"


@pytest.mark.rule("P9")
async def test_who_may_answer_hands_a_task_on(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(assignee="bob@example.org")) as d:
        bob, ed = await d.member("bob", "viewer"), await d.member("ed", "editor")
        task = (await d.asks(await d.run()))["id"]
        path = f"/v1/tasks/{task}/assign"
        assert (await ed.post(path, {"role": "editor"})).code == "forbidden"
        assert (await bob.post(path, {"user": "x@example.org"})).code == "bad_request"
        assert (await bob.post(path, {})).code == "bad_request"
        token = (await bob.post(f"/v1/tasks/{task}/link")).body["token"]
        assert (await bob.post(path, {"role": "editor"})).body["role"] == "editor"
        assert (await d.answer(task, YES, bob)).code == "forbidden"
        assert (await d.house.stranger().get(f"/v1/task-links/{token}")).status == 404
        assert (await d.answer(task, YES, ed)).status == 200


@pytest.mark.rule("P10")
async def test_whoever_holds_a_link_answers_once_and_sees_the_question_alone(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, approval()) as d:
        run = await d.run()
        task = (await d.asks(run))["id"]
        first = (await d.ada.post(f"/v1/tasks/{task}/link")).body
        old = first["token"]
        assert (await d.ada.get(f"/v1/tasks/{task}")).body["link_id"] == first["id"]
        made = (await d.ada.post(f"/v1/tasks/{task}/link")).body
        assert (await d.ada.get(f"/v1/tasks/{task}")).body["link_id"] == made["id"] != first["id"]
        assert made["id"] not in made["token"]
        assert made["link"].endswith(f"/#/task/{made['token']}")
        path = f"/v1/task-links/{made['token']}"
        stranger = d.house.stranger()
        assert (await stranger.get(f"/v1/task-links/{old}")).code == "task_link_invalid"
        shown = (await stranger.get(path)).body
        assert set(shown) == {"question", "asked_by", "created_at", "due_at"}
        assert (shown["asked_by"], shown["question"]["title"]) == ("ada", "Send it?")
        wrong = await stranger.post(path, {"answer": {"approved": "yes"}, "name": "Carol"})
        assert wrong.body["error"]["details"]["errors"][0]["field"] == "approved"
        right = {"answer": YES, "name": "Carol"}
        both = await asyncio.gather(stranger.post(path, right), stranger.post(path, right))
        assert sorted(each.status for each in both) == [200, 404]
        by = (await d.ended(run))["outputs"]["ask"]["by"]
        assert by == {"id": None, "name": "Carol", "email": None}


@pytest.mark.rule("P10")
async def test_a_link_ends_when_taken_back_with_its_task_and_with_its_makers_rights(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, approval(assignee="editor")) as d:
        ed, stranger = await d.member("ed", "editor"), d.house.stranger()

        async def link(task: str) -> str:
            return str((await ed.post(f"/v1/tasks/{task}/link")).body["token"])

        async def good(token: str) -> bool:
            return (await stranger.get(f"/v1/task-links/{token}")).status == 200

        task = (await d.asks(await d.run()))["id"]
        token = await link(task)
        assert await good(token)
        assert (await ed.delete(f"/v1/tasks/{task}/link")).status == 200
        assert not await good(token)
        token = await link(task)
        await d.put(ed, "viewer")
        assert not await good(token)
        await d.put(ed, "editor")
        assert await good(token)
        await d.answer(task, YES)
        assert not await good(token)


@pytest.mark.rule("P10")
async def test_links_cannot_be_guessed_at_any_rate(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(), sign_in_attempts_per_address=3) as d:
        codes = [(await d.house.stranger().get("/v1/task-links/guess")).code for _ in range(4)]
        assert codes == ["task_link_invalid"] * 3 + ["rate_limited"]


@pytest.mark.rule("P8")
async def test_who_is_concerned_is_told_by_socket(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(assignee="bob@example.org")) as d:
        bob, vera = await d.member("bob", "viewer"), await d.member("vera", "viewer")
        heard: dict[str, list[dict[str, Any]]] = {"bob": [], "vera": []}
        clients = [await _listening(d, bob, heard["bob"]), await _listening(d, vera, heard["vera"])]
        answer = await clients[1].call("canvas.open", {"canvas": d.canvas, "client_id": 7})
        assert answer["ok"]
        task = await d.asks(await d.run())

        async def both(count: int) -> None:
            async def came() -> bool:
                return all(len(each) == count for each in heard.values())

            await until(came)

        await both(1)
        assert [
            (each["news"], each["open"], each["task"]["may_answer"]) for each in heard["bob"]
        ] == [("asked", 1, True)]
        assert [(each["open"], each["task"]["may_answer"]) for each in heard["vera"]] == [
            (None, None)
        ]
        await d.answer(task["id"], YES, bob)
        await both(2)
        assert (heard["bob"][1]["news"], heard["bob"][1]["open"]) == ("answered", 0)
        assert heard["vera"][1]["task"]["answered_by"]["name"] == "bob"
        for client in clients:
            await client.disconnect()


@pytest.mark.rule("P8")
async def test_who_may_answer_what_others_are_asked_is_told_that_it_is_not_theirs(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, approval(assignee="bob@example.org")) as d:
        root = await d.house.person("root", "admin")
        people = {"ada": d.ada, "bob": await d.member("bob", "viewer"), "root": root}
        heard: dict[str, list[dict[str, Any]]] = {name: [] for name in people}
        clients = [await _listening(d, who, heard[name]) for name, who in people.items()]
        await d.put(root, "owner")
        for by in ("ada", "root"):
            await d.asks(await d.run(people[by]), people[by])
        await until(lambda: _all([len(heard["bob"]) == 2, heard["ada"], heard["root"]]))
        for name, mine in (("ada", False), ("root", False), ("bob", True)):
            last = heard[name][-1]
            listed = (await people[name].get("/v1/tasks?mine=true")).body
            assert last["task"]["may_answer"]
            assert (last["mine"], last["open"]) == (mine, len(listed["items"])), name
            assert listed["open"] == len(listed["items"]), name
        for client in clients:
            await client.disconnect()


async def _all(conditions: list[Any]) -> bool:
    return all(conditions)


@pytest.mark.rule("P8", "P9")
async def test_who_is_asked_no_more_is_told_so_and_nothing_else(tmp_path: Path) -> None:
    async with desk(tmp_path, approval(assignee="editor")) as d:
        bob, vera, eve = [
            await d.member(name, role)
            for name, role in (("bob", "editor"), ("vera", "editor"), ("eve", "viewer"))
        ]
        heard: dict[str, list[dict[str, Any]]] = {"bob": [], "vera": [], "eve": []}
        people = {"bob": bob, "vera": vera, "eve": eve}
        clients = [await _listening(d, people[name], heard[name]) for name in heard]
        task = await d.asks(await d.run(audience="private"))

        async def came(**count: int) -> None:
            async def have() -> bool:
                return all(len(heard[name]) == number for name, number in count.items())

            await until(have)

        def last(name: str) -> tuple[Any, ...]:
            told = heard[name][-1]
            may = told["task"] and told["task"]["may_answer"]
            return told["id"] == task["id"], told["news"], told["open"], may

        await came(bob=1, vera=1, eve=0)
        assert last("bob") == last("vera") == (True, "asked", 1, True)
        handed = await bob.post(f"/v1/tasks/{task['id']}/assign", {"user": "eve@example.org"})
        assert handed.status == 200
        await came(bob=2, vera=2, eve=1)
        assert last("bob") == last("vera") == (True, "assigned", 0, None)
        assert last("eve") == (True, "assigned", 1, True)
        await d.answer(task["id"], YES, eve)
        await came(bob=2, vera=2, eve=2)
        for client in clients:
            await client.disconnect()


async def _listening(d: Desk, person: Caller, heard: list[dict[str, Any]]) -> socketio.AsyncClient:
    client = socketio.AsyncClient(reconnection=False)
    client.on("tasks.changed", heard.append)
    await client.connect(
        d.house.origin, auth={"token": person.token}, transports=["websocket"], wait_timeout=30
    )
    return client
