"""The rows of a large table in another order, or some of them: by a column, and by a text in them."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .value_index import ValueIndex

MOST_ROWS = 500_000
"""Rows that are sorted at most."""

Key = tuple[int, Any]


class TooManyRows(ValueError):
    """More rows are left than can be sorted."""


def ordered(index: ValueIndex, sort: str | None, descending: bool, text: str | None) -> array[int]:
    """Return the numbers of the rows of a list that have ``text`` in a cell, by the column ``sort``.

    Numbers come before texts before all else; rows without the column come
    last, whichever way. Equal ones keep their order. Case does not matter.

    Raises:
        TooManyRows: for more than MOST_ROWS rows to be sorted.
    """
    wanted = None if text is None else text.casefold()
    if sort is None:
        return array("Q", (number for number, _ in _matching(index, wanted)))
    runs: list[list[tuple[Key, int]]] = []
    last = array("Q")
    count = 0
    for window in index.windows:
        run = []
        for number, row in _in_window(window.first, index.window_values(window), wanted):
            key = _key(row, sort)
            if key is None:
                last.append(number)
            else:
                run.append((key, number))
        count += len(run)
        if count + len(last) > MOST_ROWS:
            raise TooManyRows(f"more than {MOST_ROWS:,} rows cannot be sorted; filter them first")
        run.sort(key=_first, reverse=descending)
        runs.append(run)
    merged = heapq.merge(*runs, key=_first, reverse=descending)
    return array("Q", (number for _, number in merged)) + last


def _first(pair: tuple[Key, int]) -> Key:
    return pair[0]


def _matching(index: ValueIndex, wanted: str | None) -> Iterator[tuple[int, Any]]:
    for window in index.windows:
        yield from _in_window(window.first, index.window_values(window), wanted)


def _in_window(first: int, rows: Iterable[Any], wanted: str | None) -> Iterator[tuple[int, Any]]:
    for number, row in enumerate(rows, first):
        if wanted is None or any(wanted in _shown(cell).casefold() for cell in _cells(row)):
            yield number, row


def _cells(row: Any) -> Iterable[Any]:
    if isinstance(row, dict):
        return row.values()
    return row if isinstance(row, list) else (row,)


def _shown(cell: Any) -> str:
    return cell if isinstance(cell, str) else msgspec.json.encode(cell).decode()


def _key(row: Any, sort: str) -> Key | None:
    cell = row.get(sort) if isinstance(row, dict) else row if sort == "" else _item(row, sort)
    if cell is None:
        return None
    if isinstance(cell, (int, float)):
        return 0, cell
    return (1, cell.casefold()) if isinstance(cell, str) else (2, _shown(cell))


def _item(row: Any, sort: str) -> Any:
    if isinstance(row, list) and sort.isdecimal() and int(sort[:9]) < len(row):
        return row[int(sort[:9])]
    return None
