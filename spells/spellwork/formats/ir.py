"""A plan and its spell as canonical MessagePack: what one program hands to another.

An envelope ``{"ir": 1, "plan": ..., "spell": ...}``, keys sorted, so that its
first bytes are ``MAGIC``. A whole number over 64 bits, which MessagePack has
not, is an extension of type 1 with its decimal digits.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from spellwork.errors import FormatInvalid
from spellwork.plan import PLAN_FORMAT, Plan
from spellwork.spell import Spell

from .order import as_given

IR_FORMAT = 1
"""The version of the envelope."""

MAGIC = b"\x83\xa2ir"
"""The first bytes: an object of three fields, of which the first is ``ir``."""

MAX_BYTES = 64_000_000
MAX_DEPTH = 250
"""Lists and objects within each other."""

MAX_DIGITS = 4_000
_BIG = 1


def to_ir(plan: Plan, spell: Spell) -> bytes:
    """Return a plan and the spell it was made from as canonical MessagePack."""
    body = {"ir": IR_FORMAT, "plan": plan.to_json(), "spell": _packed(as_given(spell))}
    return msgspec.msgpack.encode(body, order="deterministic")


def read_ir(data: bytes) -> dict[str, Any]:
    """Return ``{ir, plan, spell}`` as JSON values; the spell is not yet looked at.

    Raises:
        FormatInvalid: when ``data`` is not what ``to_ir`` writes, of this version.
    """
    if len(data) > MAX_BYTES:
        raise FormatInvalid(f"not a plan: over {MAX_BYTES:,} bytes")
    try:
        body = msgspec.msgpack.decode(data, ext_hook=_big)
        deep = _nests_deeper(body, MAX_DEPTH)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise FormatInvalid(f"not a plan in MessagePack: {error}") from error
    if not isinstance(body, dict) or body.get("ir") is None or "spell" not in body:
        raise FormatInvalid("not a plan with its spell in MessagePack")
    if body["ir"] != IR_FORMAT:
        raise FormatInvalid(
            f"a plan in MessagePack of version {body['ir']!r}; this reads {IR_FORMAT}"
        )
    plan = body.get("plan")
    if deep or not isinstance(plan, dict) or plan.get("plan") != PLAN_FORMAT:
        raise FormatInvalid(f"not a plan of format {PLAN_FORMAT}")
    return body


def _packed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _packed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_packed(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return msgspec.msgpack.Ext(_BIG, str(value).encode())
    if isinstance(value, float) and math.isnan(value):
        return math.nan  # of the many, one
    return value


def _big(code: int, data: memoryview) -> int:
    if code != _BIG or len(data) > MAX_DIGITS:
        raise ValueError(f"an extension of type {code} and {len(data)} bytes is not known")
    return int(bytes(data))


def _nests_deeper(value: Any, limit: int) -> bool:
    if not isinstance(value, (list, dict)):
        return False
    if limit == 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_nests_deeper(item, limit - 1) for item in items)
