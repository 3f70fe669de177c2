"""Which packs may be installed by whom: the operator's list, and administrators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from spellwork_server.errors import Forbidden
from spellwork_server.identity import Actor

_RULE = re.compile(r"([A-Za-z0-9*?][A-Za-z0-9._*?-]{0,199})(?:@sha256:([0-9a-f]{64}))?")


def normal(distribution: str) -> str:
    """Return the name of a distribution as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    sha256: str | None


class AllowedPacks:
    """The rules of ``packs_allowed``: names or patterns, each with ``@sha256:HEX`` where only that very file is meant.

    Without a rule that fits, only administrators may install a pack.
    """

    def __init__(self, rules: Sequence[str]) -> None:
        self._rules = [_read(rule) for rule in rules]

    def pins(self, distribution: str) -> frozenset[str] | None:
        """Return the hashes that the operator's rules leave of a distribution; None where any will do, empty where none."""
        name = normal(distribution)
        found = [rule.sha256 for rule in self._rules if fnmatchcase(name, rule.pattern)]
        return None if None in found else frozenset(pin for pin in found if pin is not None)

    def check(self, actor: Actor, distribution: str, sha256: str | None) -> frozenset[str] | None:
        """Return the hashes that what is installed must be among, None for any; raises Forbidden.

        ``sha256`` is that of the file, where it is known already.
        """
        if actor.is_admin:
            return None
        pins = self.pins(distribution)
        if pins is None or (sha256 in pins if sha256 is not None else pins):
            return pins
        details: dict[str, object] = {"distribution": distribution, "needs": "packs_allowed"}
        raise Forbidden(
            f"{distribution!r} is not among the packs that the operator allows (SPELLWORK_PACKS_ALLOWED);"
            " an administrator may install it",
            code="pack_not_allowed",
            details=details | ({} if sha256 is None else {"sha256": sha256}),
        )


def _read(rule: str) -> _Rule:
    match = _RULE.fullmatch(rule.strip())
    if match is None:
        raise ValueError(
            f"{rule!r} in SPELLWORK_PACKS_ALLOWED is not NAME, PATTERN or NAME@sha256:HEX"
        )
    pattern = "*".join(normal(part) for part in match[1].split("*"))
    return _Rule(pattern, match[2])
