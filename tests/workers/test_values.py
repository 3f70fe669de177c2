"""What leaves a worker is plain, whatever the code returned."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections import OrderedDict, deque, namedtuple
from pathlib import PurePosixPath
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spellwork_worker.values import NotTransferableError, to_plain


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    y: float


class Frame:
    """Looks like a table of a data frame library."""

    columns = ("a",)

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        return [{"a": 1}]


class Array:
    def tolist(self) -> list[Any]:
        return [1, float("nan")]


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - what people write in a cell


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (float("inf"), None),
        (2**100, float(2**100)),
        (2**64 - 1, 2**64 - 1),
        (10**400, None),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        (deque([1]), [1]),
        (OrderedDict(a=1), {"a": 1}),
        (
            {1: "c", None: "b", dt.date(2026, 1, 2): "d"},
            {"1": "c", "null": "b", "2026-01-02": "d"},
        ),
        (b"hi", "data:application/octet-stream;base64,aGk="),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00"),
        (dt.timedelta(minutes=1), 60.0),
        (decimal.Decimal("1.5"), 1.5),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
        (PurePosixPath("/a"), "/a"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Point(1, 2.5), {"x": 1, "y": 2.5}),
        (Pair(1, 2), {"left": 1, "right": 2}),
        (Frame(), [{"a": 1}]),
        (Array(), [1, None]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_becomes_plain(value: Any, plain: Any) -> None:
    assert to_plain(value) == plain


@pytest.mark.parametrize(
    "value",
    [object(), print, int, lambda: 0, (n for n in [1]), {object(): 1}],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_plain_form_is_refused(value: Any) -> None:
    with pytest.raises(NotTransferableError):
        to_plain([{"deep": value}], "port")


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NotTransferableError, match="nested"):
        to_plain(endless)


_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_plain)
def test_plain_values_cross_the_pipe_unchanged(value: Any) -> None:
    assert to_plain(value) == value
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(to_plain(value))) == value
