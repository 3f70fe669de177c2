"""Proof that a webhook was sent by who knows its secret: Standard Webhooks, and plain bearer tokens.

Standard Webhooks 1.0 (standardwebhooks.com): ``webhook-signature`` has, after ``v1,``, the base64 of
HMAC-SHA256 over ``ID.TIMESTAMP.BODY`` under the secret's bytes; several stand beside each other, a
space between, while a secret is replaced.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PREFIX = "whsec_"
TOLERANCE = 300
"""Seconds that the sender's clock, and the way here, may take."""

ROTATION = 86_400.0
"""Seconds for which the secret before stays good."""

MAX_SIGNATURES = 10
_ID = re.compile(r"[!-~]{1,150}")


class NotProven(Exception):
    """The request does not prove that its sender knows the secret; says why, and nothing of the secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it is written, and until when it is good; None is for as long as it is there."""

    value: str
    until: float | None = None


def new_secret() -> str:
    """Return a new secret, as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def rotated(known: Sequence[Secret], new: str, now: float) -> list[Secret]:
    """Return the new secret and the last one, good for a day more."""
    return [Secret(new), *(Secret(each.value, now + ROTATION) for each in known[:1])]


def to_text(known: Sequence[Secret]) -> str:
    """Return secrets for the vault."""
    return json.dumps([[each.value, each.until] for each in known])


def from_text(text: str) -> list[Secret]:
    """Return secrets from the vault, the newest first."""
    return [Secret(value, until) for value, until in json.loads(text)]


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message, with its version before it."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, b"%b.%d.%b" % (id.encode(), timestamp, body), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def proven_by_signature(
    known: Sequence[Secret], headers: Mapping[str, str], body: bytes, now: float
) -> str:
    """Return the message's id once its signature was found good. Raises NotProven."""
    id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")
    if not _ID.fullmatch(id):
        raise NotProven("webhook-id must be there, with 1 to 150 visible characters")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise NotProven("webhook-timestamp must be there, in Unix seconds")
    expected = [sign(each.value, id, int(stamp), body).encode() for each in _good(known, now)]
    signatures = [each.encode("utf-8", "replace") for each in given[:MAX_SIGNATURES]]
    found = [hmac.compare_digest(one, other) for one in signatures for other in expected]
    if not any(found):
        raise NotProven("webhook-signature is not that of this message")
    if abs(now - int(stamp)) > TOLERANCE:
        raise NotProven(f"webhook-timestamp is over {TOLERANCE} s from now")
    return id


def proven_by_token(known: Sequence[Secret], headers: Mapping[str, str], now: float) -> str | None:
    """Return the message's id, if it has one, once the bearer token was found good. Raises NotProven."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    given = token.strip().encode("utf-8", "replace")
    found = [hmac.compare_digest(given, each.value.encode()) for each in _good(known, now)]
    if scheme.lower() != "bearer" or not any(found):
        raise NotProven("the Authorization header must be: Bearer SECRET")
    id = headers.get("webhook-id") or headers.get("Idempotency-Key")
    if id is not None and not _ID.fullmatch(id):
        raise NotProven("webhook-id must have 1 to 150 visible characters")
    return id


def _good(known: Sequence[Secret], now: float) -> list[Secret]:
    return [each for each in known if each.until is None or now < each.until]
