"""What is kept of comments and mentions: one contract over every kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from spellwork_server.errors import BadRequest, Conflict, NotFound
from spellwork_server.storage import comments as module
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.comments import CommentRecords, NewComment
from spellwork_server.storage.database import Database
from spellwork_server.storage.mentions import MentionRecords
from spellwork_server.storage.schema import COMMENT_READS, COMMENTS, MENTIONS
from spellwork_server.storage.users import UserRecords
from tests.server.storage.databases import KINDS, opened

pytestmark = pytest.mark.anyio


class Clock:
    """A second passes with every look."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@dataclass
class World:
    database: Database
    comments: CommentRecords
    mentions: MentionRecords
    canvases: CanvasRecords
    ada: str
    grace: str
    canvas: str

    def new(self, text: str = "Hello", **fields: object) -> NewComment:
        made = NewComment(
            id=uuid4().hex,
            canvas_id=self.canvas,
            author_id=self.ada,
            text=text,
            mentions=(),
            at=(1.0, 2.0),
        )
        return replace(made, **fields)  # type: ignore[arg-type]

    async def thread(self, text: str = "Hello", **fields: object) -> str:
        new = self.new(text, **fields)
        assert await self.comments.create(new)
        return new.id

    async def reply(self, thread: str, text: str = "Yes", **fields: object) -> str:
        return await self.thread(text, thread=thread, at=None, **fields)

    async def texts(self, thread: str) -> list[str]:
        found, _ = await self.comments.comments(self.canvas, thread, limit=50)
        return [each.text for each in found]


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with opened(request.param, tmp_path) as database:
        users, canvases, clock = UserRecords(database), CanvasRecords(database), Clock()
        ada = await users.create("ada@example.org", name="Ada")
        grace = await users.create("grace@example.org", name="Grace")
        canvas = await canvases.create("One", ada.id)
        yield World(
            database=database,
            comments=CommentRecords(database, clock),
            mentions=MentionRecords(database, clock),
            canvases=canvases,
            ada=ada.id,
            grace=grace.id,
            canvas=canvas.id,
        )


@pytest.mark.rule("M1")
async def test_a_thread_has_a_place_a_beginning_and_what_came_last(world: World) -> None:
    thread = await world.thread("First", node="n1")
    await world.reply(thread, "Second", author_id=world.grace)
    found = await world.comments.thread(world.canvas, thread)
    assert found is not None
    assert (found.node, found.at, found.text, found.count) == ("n1", (1.0, 2.0), "First", 2)
    assert (found.author.name, found.resolved_at) == ("Ada", None)
    assert found.last_at > found.created_at
    assert await world.texts(thread) == ["First", "Second"]
    assert await world.comments.thread("elsewhere", thread) is None


@pytest.mark.rule("M3")
async def test_the_same_comment_sent_again_makes_no_second(world: World) -> None:
    new = world.new("Once")
    assert await world.comments.create(new)
    assert not await world.comments.create(new)
    assert len((await world.comments.find(world.canvas, resolved=None, limit=9))[0]) == 1
    other = await world.thread("Other")
    for changed in (
        replace(new, author_id=world.grace),
        replace(new, thread=other, at=None),
        replace(new, canvas_id=(await world.canvases.create("Two", world.ada)).id),
    ):
        with pytest.raises(Conflict) as refusal:
            await world.comments.create(changed)
        assert refusal.value.code == "comment_id_taken"


@pytest.mark.rule("M5")
async def test_a_reply_needs_a_thread_of_the_canvas(world: World) -> None:
    thread = await world.thread()
    reply = await world.reply(thread)
    elsewhere = (await world.canvases.create("Two", world.ada)).id
    for wrong in (
        world.new(thread=uuid4().hex, at=None),
        world.new(thread=reply, at=None),
        world.new(thread=thread, at=None, canvas_id=elsewhere),
    ):
        with pytest.raises(NotFound):
            await world.comments.create(wrong)


@pytest.mark.rule("M2")
async def test_threads_and_comments_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_THREADS", 2)
    monkeypatch.setattr(module, "MAX_COMMENTS", 3)
    thread, _ = await world.thread(), await world.thread()
    await world.reply(thread)
    await world.reply(thread)
    for wrong, code in (
        (world.new(), "too_many_threads"),
        (world.new(thread=thread, at=None), "too_many_replies"),
    ):
        with pytest.raises(Conflict) as refusal:
            await world.comments.create(wrong)
        assert refusal.value.code == code


@pytest.mark.rule("M6")
async def test_threads_are_found_by_page_and_by_whether_they_are_resolved(world: World) -> None:
    made = [await world.thread(str(number)) for number in range(5)]
    await world.comments.resolve(made[1], world.grace)
    seen: list[str] = []
    after = None
    while True:
        page, after = await world.comments.find(world.canvas, resolved=None, limit=2, after=after)
        seen += [each.id for each in page]
        if after is None:
            break
    assert seen == made[::-1]
    (resolved,), _ = await world.comments.find(world.canvas, resolved=True, limit=9)
    assert (resolved.id, resolved.resolved_by.name if resolved.resolved_by else "") == (
        made[1],
        "Grace",
    )
    open_ones, _ = await world.comments.find(world.canvas, resolved=False, limit=9)
    assert made[1] not in {each.id for each in open_ones}
    await world.comments.resolve(made[1], None)
    assert not (await world.comments.find(world.canvas, resolved=True, limit=9))[0]
    with pytest.raises(BadRequest):
        await world.comments.find(world.canvas, resolved=None, limit=2, after="rubbish")


async def test_comments_are_read_by_page_oldest_first(world: World) -> None:
    thread = await world.thread("0")
    for number in range(1, 5):
        await world.reply(thread, str(number))
    first, after = await world.comments.comments(world.canvas, thread, limit=3)
    second, end = await world.comments.comments(world.canvas, thread, limit=3, after=after)
    assert [each.text for each in first + second] == list("01234")
    assert end is None


async def test_resolving_twice_keeps_who_did_it_first(world: World) -> None:
    thread = await world.thread()
    await world.comments.resolve(thread, world.ada)
    before = await world.comments.thread(world.canvas, thread)
    await world.comments.resolve(thread, world.grace)
    assert await world.comments.thread(world.canvas, thread) == before


@pytest.mark.rule("M4")
async def test_a_thread_goes_with_its_first_comment_and_a_reply_alone(world: World) -> None:
    thread = await world.thread()
    reply = await world.reply(thread)
    await world.reply(thread, "Stays")
    await world.comments.remove(reply)
    assert await world.texts(thread) == ["Hello", "Stays"]
    await world.comments.remove(thread)
    assert await world.comments.thread(world.canvas, thread) is None
    with pytest.raises(NotFound):
        await world.comments.get(world.canvas, thread)


async def test_an_edit_keeps_mentions_that_stay_and_drops_those_that_go(world: World) -> None:
    await world.canvases.set_member(world.canvas, world.grace, "viewer")
    thread = await world.thread("Hello Grace", mentions=[world.grace])
    await world.mentions.mark_read(world.grace, thread)
    await world.comments.edit(thread, "Hello again", [world.grace])
    (kept,), _ = await world.mentions.find(world.grace, everywhere=False, limit=9)
    assert kept.read_at is not None
    found = await world.comments.get(world.canvas, thread)
    assert (found.text, dict(found.mentions)) == ("Hello again", {world.grace: "Grace"})
    assert found.edited_at is not None
    await world.comments.edit(thread, "Nobody", [])
    assert await world.mentions.find(world.grace, everywhere=False, limit=9) == ([], None)
    with pytest.raises(NotFound):
        await world.comments.edit(uuid4().hex, "x", [])


@pytest.mark.rule("M9")
async def test_mentions_come_unread_first_and_by_page(world: World) -> None:
    await world.canvases.set_member(world.canvas, world.grace, "viewer")
    made = [await world.thread(str(number), mentions=[world.grace]) for number in range(5)]
    await world.mentions.mark_read(world.grace, made[4])
    await world.mentions.mark_read(world.grace, made[1])
    seen: list[str] = []
    after = None
    while True:
        page, after = await world.mentions.find(world.grace, everywhere=False, limit=2, after=after)
        seen += [each.text for each in page]
        if after is None:
            break
    assert seen == ["3", "2", "0", "4", "1"]
    assert await world.mentions.unread(world.grace, everywhere=False) == 3
    await world.mentions.mark_read(world.grace, None)
    assert await world.mentions.unread(world.grace, everywhere=False) == 0
    with pytest.raises(BadRequest):
        await world.mentions.find(world.grace, everywhere=False, limit=2, after="rubbish")


@pytest.mark.rule("M9")
async def test_who_is_taken_off_a_canvas_has_no_mentions_there(world: World) -> None:
    await world.canvases.set_member(world.canvas, world.grace, "viewer")
    await world.thread(mentions=[world.grace])
    await world.canvases.remove_member(world.canvas, world.grace)
    assert await world.mentions.find(world.grace, everywhere=False, limit=9) == ([], None)
    assert await world.mentions.unread(world.grace, everywhere=False) == 0
    assert await world.mentions.unread(world.grace, everywhere=True) == 1
    await world.canvases.set_member(world.canvas, world.grace, "viewer")
    assert await world.mentions.unread(world.grace, everywhere=False) == 1


@pytest.mark.rule("M11")
async def test_reading_is_noted_for_one_thread_or_all_with_its_mentions(world: World) -> None:
    await world.canvases.set_member(world.canvas, world.grace, "viewer")
    one = await world.thread(mentions=[world.grace])
    two = await world.thread(mentions=[world.grace])
    assert set(await world.comments.read_by(world.ada, [one, two])) == {one, two}
    assert await world.comments.read_by(world.grace, [one, two]) == {}
    await world.comments.mark_read(world.canvas, world.grace, one)
    assert set(await world.comments.read_by(world.grace, [one, two])) == {one}
    assert await world.mentions.unread(world.grace, everywhere=False) == 1
    await world.comments.mark_read(world.canvas, world.grace, None)
    assert set(await world.comments.read_by(world.grace, [one, two])) == {one, two}
    assert await world.mentions.unread(world.grace, everywhere=False) == 0


@pytest.mark.rule("M10")
async def test_places_of_nodes_are_kept_for_their_threads(world: World) -> None:
    thread, other = await world.thread(node="n1"), await world.thread()
    assert await world.comments.node_places(world.canvas) == {"n1": (1.0, 2.0)}
    await world.comments.keep_places(world.canvas, {"n1": (30.0, 40.0)})
    moved = await world.comments.thread(world.canvas, thread)
    stayed = await world.comments.thread(world.canvas, other)
    assert moved is not None
    assert stayed is not None
    assert (moved.at, stayed.at) == ((30.0, 40.0), (1.0, 2.0))


@pytest.mark.rule("M11")
async def test_a_deleted_canvas_takes_its_comments_and_mentions_along(world: World) -> None:
    thread = await world.thread(mentions=[world.grace])
    await world.reply(thread)
    await world.canvases.delete(world.canvas)
    async with world.database.read() as conn:
        for table in (COMMENTS, MENTIONS, COMMENT_READS):
            count = await conn.scalar(select(func.count()).select_from(table))
            assert count == 0, table.name
