"""The spells that runs ran: one that many of them have in common is kept once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork.values import hash_bytes

from .bulk import insert_many, to_text
from .schema import RUN_SPELLS, RUNS

SPELL = (
    select(RUN_SPELLS.c.body)
    .where(RUN_SPELLS.c.hash == RUNS.c.spell_hash)
    .scalar_subquery()
    .label("spell")
)
"""The spell of a run, as a column beside those of its row."""


LATELY = 8
LATELY_CHARACTERS = 256 * 1024
"""How many spells' JSON is at hand, as a canvas is run many times as it is; and of how many characters at most."""

_lately: OrderedDict[int, tuple[Any, str, str]] = OrderedDict()


def _written(spell: Any) -> tuple[str, str]:
    """Return the JSON of a spell, and the hash of that. Nobody changes a spell that is to be kept."""
    known = _lately.get(id(spell))
    if known is None or known[0] is not spell:
        text = to_text(spell)
        known = spell, text, hash_bytes(text.encode())
        if len(text) <= LATELY_CHARACTERS:
            _lately[id(spell)] = known
        while len(_lately) > LATELY:
            _lately.popitem(last=False)
    return known[1:]


async def keep_spell(conn: AsyncConnection, spell: Any) -> str:
    """Keep a spell (JSON) for a run; return the hash by which the run's row names it."""
    text, hash_ = _written(spell)
    await insert_many(conn, RUN_SPELLS, ("hash", "body"), [(hash_, text)], keep_old=True)
    return hash_


async def drop_unrun_spells(conn: AsyncConnection, most: int) -> int:
    """Forget spells that no run has any more, ``most`` at once; return how many."""
    unrun = (
        select(RUN_SPELLS.c.hash)
        .where(~exists().where(RUNS.c.spell_hash == RUN_SPELLS.c.hash))
        .limit(most)
    )
    gone = await conn.execute(delete(RUN_SPELLS).where(RUN_SPELLS.c.hash.in_(unrun)))
    return int(gone.rowcount)
