"""What of a run is kept when it goes on, or when another one is forked from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from spellwork import Plan, Spell
from spellwork.past import Ended, Past, without
from spellwork_server.storage.run_records import RunRecord

from .insides import Insides
from .origin import Origin
from .past_reader import Before, Told, first_of
from .run_end import KEPT

MOST_REPEATED = 20_000
"""Nodes of which a fork tells again how they ended; those inside others, beyond that, are not told."""


def canvas_owners(spell: Spell) -> frozenset[str]:
    """Return the nodes of a spell that run canvases."""
    return frozenset(
        id
        for id, node in spell.nodes.items()
        if node.settings.body is not None and node.settings.body.spell is not None
    )


def outside_of(past: Past, owners: frozenset[str]) -> dict[str, Ended]:
    """Return a past without what ended inside these nodes, wherever in a path they are."""
    insides = Insides(owners)
    return {path: ended for path, ended in past.items() if not insides.hides(path)}


def origin_of_record(
    record: RunRecord, before: Before, plan: Plan, owners: frozenset[str]
) -> Origin:
    """Return with what a run goes on; ``owners`` are nodes whose inside is another by now.

    What failed stays as it is, unless another attempt begins.
    """
    past: Past = before.ended
    if owners:
        past = outside_of(past, owners)
    if record.attempt != before.attempt:
        past = without(past, plan, before.failed)
    kept, within = _own(plan, past)
    return Origin(
        record=record,
        begun=before.begun,
        past=past,
        since=before.since if record.attempt == before.attempt else {},
        left={path: before.left[path] for path in past if path in before.left},
        tokens=before.tokens,
        kept=kept,
        within=within,
        stale=tuple(sorted(path for path in before.places if path not in past)),
    )


def changed_nodes(then: Plan | None, now: Plan) -> dict[str, str]:
    """Return the nodes of a plan that are others than then, themselves, and why; ``then`` None: all are."""
    changed: dict[str, str] = {}
    for step in now.steps:
        old = None if then is None or step.id not in then else then[step.id]
        if old is None or then is None:
            changed[step.id] = "new"
        elif old.local != step.local:
            changed[step.id] = "code changed"
        elif then.shapes[old.index] != now.shapes[step.index]:
            changed[step.id] = "input changed"
    return changed


def origin_of_fork(
    record: RunRecord, before: Before, plan: Plan, past: Past, changed: dict[str, str]
) -> Origin:
    """Return with what a fork begins that keeps ``past``."""
    kept, within = _own(plan, past)
    return Origin(
        past={
            path: ended if ended.skipped is not None else msgspec.structs.replace(ended, why=KEPT)
            for path, ended in past.items()
        },
        left={path: before.left[path] for path in past if path in before.left},
        kept=kept,
        within=within,
        repeated=_repeated(before, past),
        forked_from=record.id,
        changed=changed,
    )


def _own(plan: Plan, past: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the run's own nodes that are kept, and those that have something inside them that is."""
    kept = tuple(step.id for step in plan.steps if step.id in past)
    owners = {first_of(path) for path in past} - set(kept)
    return kept, tuple(step.id for step in plan.steps if step.id in owners)


def _repeated(before: Before, past: Iterable[str]) -> Sequence[Told]:
    """Return how nodes ended, in that order: if they are too many, the run's own rather than those inside."""
    told = [before.told[path] for path in past]
    if len(told) > MOST_REPEATED:
        told.sort(key=lambda each: ("/" in each.node or "[" in each.node, each.seq))
        del told[MOST_REPEATED:]
    return sorted(told, key=lambda each: each.seq)
