"""What is counted of runs that have ended: read for usage, and searched, without touching the runs' large rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Dialect,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import Insert as Upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import Prepared, param, upsert
from .database import Database
from .schema import RUN_FIGURES, RUN_TOKENS, RUNS

DAY = 86_400
"""Seconds of a day, in UTC."""

MOST_WORDS = 4_000
"""Characters of a run by which it is found."""

MOST_MESSAGE = 300
"""Characters of one message among them."""

LARGEST = 2_000_000_000
"""What is kept of the tokens of one run at most."""

MOST_GROUPS = 1_000
"""Days, canvases or people that one answer tells of."""

LAID_DOWN = -1
"""The day of a run that is laid down: what it did so far is kept for whoever ends it without loading it."""

By = Literal["day", "canvas", "user"]

NOT_RUN = frozenset(("cached", "kept", "pinned", "muted", "bypassed", "given"))
"""Why a node has outputs, or none, without being called."""


class Figures(msgspec.Struct, frozen=True):
    """What is counted of one run. ``tokens`` are those that nodes reported."""

    ran: int = 0
    cached: int = 0
    failed: int = 0
    skipped: int = 0
    tokens: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What calls of one type of node took of one model; "" where none was named."""

    type: str
    provider: str
    model: str
    runs: int
    calls: int
    prompt: int
    completion: int
    total: int


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Figures of all runs of a day (as a number of days since 1970), a canvas, or a user."""

    key: int | str | None
    runs: int
    seconds: float
    ran: int
    cached: int
    failed: int
    skipped: int
    tokens: int


def figures_of(result: Any) -> Figures:
    """Count a run's result, as the record keeps it."""
    if not isinstance(result, Mapping):
        return Figures()
    errors: Mapping[str, Any] = result.get("errors") or {}
    skipped: Mapping[str, Any] = result.get("skipped") or {}
    why: Mapping[str, str] = result.get("why") or {}
    called = [node for node, reason in why.items() if reason not in NOT_RUN and node not in skipped]
    return Figures(
        ran=len(set(called) | errors.keys()),
        cached=sum(1 for reason in why.values() if reason == "cached"),
        failed=len(errors),
        skipped=len(skipped),
        tokens=min(sum(group["total_tokens"] for group in usage_of(result)), LARGEST),
        words=_words(result, errors),
    )


def usage_of(result: Any) -> list[dict[str, Any]]:
    """Return what nodes of a run reported of tokens, by type, provider and model."""
    return (result.get("usage") or []) if isinstance(result, Mapping) else []


def _words(result: Mapping[str, Any], errors: Mapping[str, Any]) -> str:
    """Return what a run is found by: which nodes failed, and why. Of what failed inside a node only the code is told."""
    words = "\n".join(_said(result, errors))
    return words[:MOST_WORDS].lower()


def _said(result: Mapping[str, Any], errors: Mapping[str, Any]) -> Iterator[str]:
    names: Mapping[str, str] = result.get("names") or {}
    for node, error in errors.items():
        inside = isinstance(error.get("details"), Mapping) and "path" in error["details"]
        message = "" if inside else str(error.get("message", ""))[:MOST_MESSAGE]
        yield f"{node} {names.get(node, '')} {error.get('code', '')} {message}"
    if isinstance(error := result.get("error"), Mapping):
        yield f"{error.get('code', '')} {str(error.get('message', ''))[:MOST_MESSAGE]}"


_COUNTS = ("ran", "cached", "failed", "skipped", "tokens")
_TOLD = ("day", "seconds", *_COUNTS, "words")


async def write_figures(
    conn: AsyncConnection, run: str, at: float, result: Any, *, lying: bool = False
) -> None:
    """Keep what is counted of a run that ended ``at``; of one that ended before and went on, in the place of that.

    With a ``result`` that tells of no nodes the run was ended without being loaded: what was kept as it was laid
    down counts, and its tokens, where that is more. ``lying``: nobody carried it, so it did not go since it was last claimed.
    """
    values = _values(run, result) | {"at": at, "day": int(at // DAY)}
    if not lying and isinstance(result, Mapping) and result.keys() - {"error", "usage"}:
        await _ENDING.execute(conn, **values)
        if values["tokens"]:
            await _write_tokens(conn, run, result)
        return
    await (_ENDING_LYING if lying else _ENDING_UNREAD).execute(conn, **values)
    if values["tokens"] and await _has_no_more(conn, run, values["tokens"]):
        await _write_tokens(conn, run, result)


async def _has_no_more(conn: AsyncConnection, run: str, tokens: int) -> bool:
    """Count so many tokens for a run, where it does not count more."""
    counted = await conn.execute(
        update(RUN_FIGURES)
        .where(RUN_FIGURES.c.run == run, RUN_FIGURES.c.tokens <= tokens)
        .values(tokens=tokens)
    )
    return counted.rowcount == 1


async def keep_figures(
    conn: AsyncConnection, run: str, result: Any, *, ran: float, over: bool
) -> None:
    """Keep what is counted of a run that is laid down after it went for ``ran`` seconds; ``over``: so is its attempt.

    To be called before its row is changed.
    """
    spent = {"over": 1.0, "more": ran} if over else {"over": 0.0, "more": 0.0}
    await _LAYING_DOWN.execute(conn, **_values(run, result), **spent, day=LAID_DOWN)
    await _write_tokens(conn, run, result)


async def forget_tokens(conn: AsyncConnection, run: str) -> None:
    """Forget what was kept of the tokens of a run that is to be counted anew."""
    await conn.execute(delete(RUN_TOKENS).where(RUN_TOKENS.c.run == run))


def _values(run: str, result: Any) -> dict[str, Any]:
    found = figures_of(result)
    return {"of_run": run} | {name: getattr(found, name) for name in (*_COUNTS, "words")}


async def _write_tokens(conn: AsyncConnection, run: str, result: Any) -> None:
    await forget_tokens(conn, run)
    if rows := _token_rows(run, usage_of(result)):
        await conn.execute(insert(RUN_TOKENS), rows)


_KEYS = {"type": 200, "provider": 100, "model": 100}
"""What tokens are kept by, and how many characters of it."""

_SUMS = {"calls": "calls", "prompt": "prompt_tokens", "completion": "completion_tokens"} | {
    "total": "total_tokens"
}


def _token_rows(run: str, groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each key; groups whose names were cut or masked to the same are one."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for group in groups:
        key = tuple((group[name] or "")[:most] for name, most in _KEYS.items())
        row = rows.setdefault(key, {"run": run, **dict(zip(_KEYS, key, strict=True))})
        for column, name in _SUMS.items():
            row[column] = min(row.get(column, 0) + group[name], LARGEST)
    return list(rows.values())


def _copying(
    dialect: Dialect, seconds: ColumnElement[float], anew: Collection[str] = _TOLD
) -> Upsert:
    """Return the statement that takes whose a run is from its row; of what is kept, it writes ``anew``.

    ``seconds`` come on top of those that were kept as it was laid down.
    """
    told = {
        name: param(name, RUN_FIGURES.c[name]) if name != "seconds" else seconds for name in _TOLD
    }
    source = select(
        RUNS.c.id,
        RUNS.c.canvas_id,
        RUNS.c.user_id,
        RUNS.c.parent_id,
        RUNS.c.audience == literal_column("'shared'"),
        *told.values(),
    ).where(RUNS.c.id == param("of_run", RUNS.c.id))
    made = upsert(dialect, RUN_FIGURES)
    made = made.from_select(
        ["run", "canvas_id", "user_id", "parent_id", "shared", *_TOLD],
        source,
        include_defaults=False,
    )
    lay = RUN_FIGURES.c.day == literal_column(str(LAID_DOWN))
    before = case((lay, RUN_FIGURES.c.seconds), else_=literal_column("0.0"))
    return made.on_conflict_do_update(
        index_elements=[RUN_FIGURES.c.run],
        set_={name: made.excluded[name] for name in anew}
        | {"seconds": before + made.excluded.seconds},
    )


def _number(name: str) -> ColumnElement[float]:
    return param(name, RUN_FIGURES.c.seconds)


_SINCE = func.coalesce(RUNS.c.claimed_at, RUNS.c.started_at, _number("at"))
_WENT = RUNS.c.ran + case(
    (_number("at") > _SINCE, _number("at") - _SINCE), else_=literal_column("0.0")
)
"""Seconds of a run that ends as it is carried; where clocks differ, it did not end before it began."""

_ENDING = Prepared(lambda dialect: _copying(dialect, _WENT))
_ENDING_UNREAD = Prepared(lambda dialect: _copying(dialect, _WENT, ("day", "words")))
_ENDING_LYING = Prepared(lambda dialect: _copying(dialect, RUNS.c.ran, ("day",)))
_LAYING_DOWN = Prepared(
    lambda dialect: _copying(dialect, RUNS.c.ran * _number("over") + _number("more"))
)


class RunFigures:
    """Adds up the figures of many runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def usage(
        self, by: By, *, since: float, canvas: str | None, reader: str | None
    ) -> list[UsageRow]:
        """Return sums by day (newest first), canvas or user (most time first), of runs that ended since that day.

        Of a canvas: shared runs, and those of ``reader`` (None: everybody's).
        Without one: the runs of ``reader`` (None: all there are).

        The call of a placed node is part of the run that placed it. That counts it, and the time that it took; but the
        tokens it leaves to the call, which alone knows them all.
        """
        columns = RUN_FIGURES.c
        which = _which(since, canvas, reader)
        key = {"day": columns.day, "canvas": columns.canvas_id, "user": columns.user_id}[by]
        seconds = _of_runs(columns.seconds)
        sums = [_of_runs(columns[name]) for name in _COUNTS if name != "tokens"]
        runs, tokens = _of_runs(literal_column("1")), func.sum(columns.tokens)
        query = select(key, runs, seconds, *sums, tokens).where(*which)
        order = key.desc() if by == "day" else seconds.desc()
        query = query.group_by(key).order_by(order).limit(MOST_GROUPS)
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [UsageRow(row[0], int(row[1]), float(row[2]), *map(int, row[3:])) for row in rows]

    async def tokens(
        self, *, since: float, canvas: str | None, reader: str | None
    ) -> list[TokenRow]:
        """Return what nodes of the same runs reported of tokens, those that took most first."""
        columns = RUN_TOKENS.c
        keys = (columns.type, columns.provider, columns.model)
        total = func.sum(columns.total)
        sums = (func.sum(columns[name]) for name in ("calls", "prompt", "completion"))
        runs = func.coalesce(RUN_FIGURES.c.parent_id, RUN_FIGURES.c.run)
        query = (
            select(*keys, func.count(runs.distinct()), *sums, total)
            .join(RUN_FIGURES, RUN_FIGURES.c.run == columns.run)
            .where(*_which(since, canvas, reader))
            .group_by(*keys)
            .order_by(total.desc())
            .limit(MOST_GROUPS)
        )
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [TokenRow(*row[:3], *map(int, row[3:])) for row in rows]


def _of_runs(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the sum of what is counted of runs, and not of the calls that they placed."""
    return func.sum(case((RUN_FIGURES.c.parent_id.is_(None), column), else_=literal_column("0")))


def _which(since: float, canvas: str | None, reader: str | None) -> list[ColumnElement[bool]]:
    """Return which runs are added up: see ``RunFigures.usage``."""
    columns = RUN_FIGURES.c
    which: list[ColumnElement[bool]] = [columns.day >= max(int(since // DAY), 0)]
    if canvas is not None:
        which.append(columns.canvas_id == canvas)
        if reader is not None:
            which.append(or_(columns.shared, columns.user_id == reader))
    elif reader is not None:
        which.append(columns.user_id == reader)
    return which
