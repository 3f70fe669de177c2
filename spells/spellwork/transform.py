"""What a wire does to a value on its way: pick, index, default, cast, date, in their order.

Pure, and the same in every process and in the browser
(``client/src/engine/transform.ts``; ``tests/cases/transforms.json`` holds for both).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from .casting import CastError, cast, plain, shown
from .date_reading import DateError, compiled, read_date
from .errors import TransformFailed
from .paths import PathError, pick, read_path
from .spell import Cast, Date, Default, Index, Pick, Transform
from .values import digest

_read_path = lru_cache(maxsize=1_000)(read_path)


class TransformError(ValueError):
    """A transform that a value cannot take: ``place`` in the list (from 0), its ``op``, and the value."""

    def __init__(self, reason: str, place: int, op: str, value: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
        self.op = op
        self.value = value


class Shaped(msgspec.Struct, frozen=True, gc=False):
    """The value in a slot after the transforms of the wire that brings it.

    ``signature`` is equal where the transforms are. A default stands in for
    nothing, too: a wire that has one always brings a value.
    """

    slot: int
    edge: str
    port: str
    transforms: tuple[Any, ...]
    signature: str

    def of(self, values: Sequence[Any], nothing: object) -> Any:
        """Return the shaped value of the slot; ``nothing`` where that is in it. Raises TransformFailed."""
        value = values[self.slot]
        transforms = self.transforms
        if value is nothing:
            first = next(
                (place for place, each in enumerate(transforms) if isinstance(each, Default)), None
            )
            if first is None:
                return nothing
            value, transforms = None, transforms[first:]
        try:
            return reshape(value, transforms)
        except TransformError as error:
            raise TransformFailed(
                self.edge, self.port, error.op, error.reason, shown(error.value)
            ) from error


def shaped(slot: int, edge: str, port: str, transforms: tuple[Transform, ...]) -> Shaped:
    """Return where a value comes from when it is transformed on its way."""
    return Shaped(slot, edge, port, transforms, digest(described(transforms)))


def reshape(value: Any, transforms: Sequence[Transform]) -> Any:
    """Return what ``transforms`` make of a value, one after the other. Raises TransformError."""
    for place, each in enumerate(transforms):
        before = plain(value)
        try:
            value = _apply(before, each)
        except (PathError, CastError, DateError) as error:
            raise TransformError(
                f"{words(each)}: {_with_value(error, before)}", place, each.op, before
            ) from error
    return value


def why_invalid(transform: Transform) -> str | None:
    """Return why a transform can never work, whatever the value, or None."""
    try:
        if isinstance(transform, Pick):
            _read_path(transform.path)
        elif isinstance(transform, Date) and transform.format is not None:
            compiled(transform.format)
    except (PathError, DateError) as error:
        return str(error)
    return None


def words(transform: Transform) -> str:
    """Return a transform in a few words: ``pick rows[0]``, ``cast to number``."""
    if isinstance(transform, Pick):
        return f"pick {transform.path}"
    if isinstance(transform, Index):
        return f"item {transform.index}"
    if isinstance(transform, Default):
        return f"default {shown(transform.value)}"
    if isinstance(transform, Cast):
        return f"cast to {transform.to}"
    return "date" if transform.format is None else f"date {transform.format}"


def described(transforms: Sequence[Transform]) -> list[dict[str, Any]]:
    """Return transforms as JSON, as an edge has them."""
    return [each.model_dump(mode="json", exclude_defaults=True) for each in transforms]


def has_default(transforms: Sequence[Transform]) -> bool:
    """Say whether a wire with these brings a value even where nothing came."""
    return any(isinstance(each, Default) for each in transforms)


def _apply(value: Any, transform: Transform) -> Any:
    if isinstance(transform, Pick):
        return pick(value, _read_path(transform.path))
    if isinstance(transform, Index):
        if not isinstance(value, list):
            raise PathError("there is no list")
        return pick(value, [transform.index])
    if isinstance(transform, Default):
        return transform.value if value is None else value
    if isinstance(transform, Cast):
        return cast(value, transform.to)
    return read_date(value, transform.format)


def _with_value(error: ValueError, value: Any) -> str:
    reason = str(error)
    return f"{reason}, in {shown(value)}" if isinstance(error, PathError) else reason
