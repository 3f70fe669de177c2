"""Makes ready runs that are in the store: those that go on after a crash, a stop or an answer, and forks of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pydantic

from spellwork import InvalidInput, Plan, RunMemory, Spell, SpellInvalid
from spellwork import compile as compile_spell
from spellwork.analysis import Analysis
from spellwork.library import Libraries
from spellwork.past import without
from spellwork.reaching import feeding_nodes
from spellwork_server.child_spells import Found
from spellwork_server.errors import BadRequest, NotFound, SpellRefused, Unavailable
from spellwork_server.identity import Actor, allowed
from spellwork_server.storage.run_records import RunRecord

from .errors import NotResumable
from .insides import Insides
from .keeping import canvas_owners, changed_nodes, origin_of_fork, origin_of_record, outside_of
from .origin import Origin
from .past_reader import Before, PastReader, first_of
from .run import Machinery
from .spell_runner import RunRequest
from .streams import Access

Actors = Callable[[str], Awaitable[Actor | None]]
"""Finds who has an account and may sign in, by id."""


@dataclass(frozen=True, slots=True)
class Fork:
    """What somebody asked to fork from a run. ``nodes`` None: from what failed, or did not end."""

    nodes: Sequence[str] | None = None
    inputs: Mapping[str, Any] | None = None
    spell: Literal["then", "now"] = "then"
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A run that may be set going by a ``SpellRunner``."""

    spell: Spell
    plan: Plan
    request: RunRequest
    children: Found
    origin: Origin


class Carrying:
    """Reads what runs were asked to do and what of it is done, and compiles the rest anew."""

    def __init__(
        self,
        libraries: Libraries,
        machinery: Machinery,
        past: PastReader,
        access: Access,
        actors: Actors,
    ) -> None:
        self._libraries = libraries
        self._machinery = machinery
        self._past = past
        self._access = access
        self._actors = actors
        self._asked: dict[tuple[str, str | None], asyncio.Future[Actor | None]] = {}

    async def ready(self, record: RunRecord) -> Ready:
        """Return a run with which its own past goes on; nothing is changed by that.

        Raises:
            NotResumable: whoever started it may not run it any more, or it cannot go on at all.
            SpellRefused: its spell does not run any more, as where a type of node is gone.
            BadRequest: an input is none any more.
        """
        if record.mode == "live":
            raise NotResumable(record.id, "it was live mode's: enter live mode again")
        actor = await self._owner(record)
        spell = spell_of(record)
        request = request_of(record, spell, actor)
        children = await self._machinery.children.for_actor(spell, record.user_id, actor)
        before = Before() if _is_first(record) else await self._past.read(record.id)
        plan = await self._compile(spell, request, children, record)
        origin = origin_of_record(record, before, plan, _others(record, spell, children))
        return Ready(spell, plan, request, children, origin)

    async def usage(self, record: RunRecord) -> list[dict[str, Any]]:
        """Return what nodes of a run that is not loaded reported of tokens; ``record`` has its spell."""
        tally = await self._past.tokens(record.id)
        try:
            return tally.summed(spell_of(record)) if tally else []
        except NotResumable:
            return []

    async def _owner(self, record: RunRecord) -> Actor:
        actor = await self._who(record.user_id, record.canvas_id)
        if actor is None:
            raise NotResumable(record.id, "whoever started it may not run it any more")
        return actor

    async def _who(self, user: str, canvas: str | None) -> Actor | None:
        """Return who a user is now, None where they may not run there; who asks at one moment shares the answer."""
        asked = self._asked.get((user, canvas))
        if asked is not None:
            return await asyncio.shield(asked)
        asked = self._asked[user, canvas] = asyncio.get_running_loop().create_future()
        try:
            actor = await self._actors(user)
            if actor is not None and not await self._may_run(actor, canvas):
                actor = None
            asked.set_result(actor)
        except BaseException as error:
            asked.set_exception(
                error if isinstance(error, Exception) else Unavailable("The server is stopping")
            )
            asked.exception()  # nobody else may have asked
            raise
        finally:
            del self._asked[user, canvas]
        return actor

    async def _may_run(self, actor: Actor, canvas: str | None) -> bool:
        if canvas is None:
            return allowed(actor, "run.create")
        try:
            return allowed(actor, "canvas.run", await self._access(canvas))
        except NotFound:
            return False

    async def _compile(
        self, spell: Spell, request: RunRequest, children: Found, record: RunRecord
    ) -> Plan:
        library = self._libraries.of(record.canvas_id)
        analysis = Analysis(spell, library, children.spells.get, root=record.canvas_id)
        memory = RunMemory()
        if request.reach != "needed" and request.scope is not None:
            feeding = feeding_nodes(analysis, request.scope, request.reach)
            await self._machinery.last.recall(
                memory, record.stream, feeding, before=record.created_at
            )
        packages = await self._machinery.packages(record.canvas_id)
        try:
            return compile_spell(
                spell,
                library,
                inputs=request.inputs,
                scope=request.scope,
                reach=request.reach,
                memory=memory,
                packages=packages or None,
                analysis=analysis,
            )
        except SpellInvalid as error:
            raise SpellRefused.of([problem.to_json() for problem in error.problems]) from error
        except InvalidInput as error:
            raise BadRequest(error.message, code=error.code, details=error.details) from error

    # Forks

    async def fork(
        self, record: RunRecord, actor: Actor, fork: Fork, now: Spell | None, insides: Insides
    ) -> Ready:
        """Return a new run that begins with what ``fork`` keeps of a run.

        ``now`` is the canvas as it is, where the fork is of that; ``insides`` is what of the run the
        actor may see: nothing else is kept.

        Raises:
            BadRequest: for a node or an input that the spell does not have.
            SpellRefused: the spell does not run.
        """
        then = spell_of(record)
        spell = then if now is None else now
        old = request_of(record, then, actor)
        request = _forked(old, spell, fork)
        children = await self._machinery.children.for_actor(spell, actor.user_id, actor)
        plan = await self._compile(spell, request, children, record)
        was: Plan | None = plan
        if now is not None or fork.inputs:
            was = await self._as_it_was(then, old, children, record)
        before = await self._past.read(record.id)
        changed = {} if was is plan else changed_nodes(was, plan)
        others = _others(record, spell, children)
        if now is not None:
            changed |= {node: "code changed" for node in others if node in plan}
        past = outside_of(before.ended, others | insides.hidden)
        past = {path: ended for path, ended in past.items() if first_of(path) in plan}
        past = without(past, plan, changed)
        if fork.nodes is None:
            past = without(past, plan, [path for path in before.failed if first_of(path) in plan])
        else:
            _check(fork.nodes, plan)
            past = without(past, plan, fork.nodes)
        return Ready(
            spell, plan, request, children, origin_of_fork(record, before, plan, past, changed)
        )

    async def _as_it_was(
        self, spell: Spell, request: RunRequest, children: Found, record: RunRecord
    ) -> Plan | None:
        try:
            return await self._compile(spell, request, children, record)
        except (SpellRefused, BadRequest):
            return None


def _is_first(record: RunRecord) -> bool:
    """Say whether nothing can have been written for a run yet: it waited in its queue until this first claim."""
    return record.queue is not None and record.fence == 1


def spell_of(record: RunRecord) -> Spell:
    """Return the spell of a run; raises NotResumable where this version reads it no more."""
    try:
        return Spell.model_validate(record.spell)
    except pydantic.ValidationError as error:
        raise NotResumable(
            record.id, "its spell is of a version that is not read any more"
        ) from error


def request_of(record: RunRecord, spell: Spell, actor: Actor) -> RunRequest:
    """Return what was asked for, as the record has it."""
    asked = record.request or {}
    return RunRequest(
        spell=spell,
        actor=actor,
        inputs=asked.get("inputs") or None,
        scope=asked.get("scope"),
        reach=asked.get("reach") or "needed",
        timeout=asked.get("timeout"),
        audience="private" if record.audience == "private" else "shared",
        on_busy="parallel",
        durable=record.durable,
        trigger=record.trigger_id,
        depth=asked.get("depth") or 0,
    )


def _forked(old: RunRequest, spell: Spell, fork: Fork) -> RunRequest:
    edited = fork.inputs or {}
    kept = {key: value for key, value in (old.inputs or {}).items() if key not in edited}
    return RunRequest(
        spell=spell,
        actor=old.actor,
        inputs={**kept, **edited} or None,
        scope=old.scope,
        reach=old.reach,
        timeout=old.timeout,
        audience=old.audience,
        on_busy="parallel",
        durable=fork.durable,
    )


def _others(record: RunRecord, spell: Spell, children: Found) -> frozenset[str]:
    """Return the nodes that run canvases, where any of these is another than the run knew."""
    known = (record.request or {}).get("children") or {}
    return frozenset() if known == children.versions else canvas_owners(spell)


def _check(nodes: Sequence[str], plan: Plan) -> None:
    """Raise BadRequest for a node, or the path of one inside others, that the run does not have."""
    for path in nodes:
        if first_of(path) not in plan:
            raise BadRequest.field("from", f"the run has no node {path!r}", plan.running[:50])
