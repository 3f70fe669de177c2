"""What the nodes of a run report of tokens, on an output ``usage``: summed by node type, provider and model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from spellwork import Event, Spell
from spellwork_server.storage.run_figures import NOT_RUN

PORT = "usage"

PROMPT = ("prompt_tokens", "input_tokens")
COMPLETION = ("completion_tokens", "output_tokens")
"""What providers call the tokens that went in, and those that came out."""

MOST_TOKENS = 1_000_000_000
"""A count of tokens beyond that is none."""

MOST_NAME = 100
"""Characters of a provider's or model's name; of a longer one its beginning is told."""

MOST_KEYS = 1_000
"""Keys by which one run is counted; what further ones took is under one without names."""

MOST_GROUPS = 100
"""Groups that are told of one run; what further ones took is in one without names."""

Key = tuple[str, str, str]
"""A node's path, and the provider and model that it named; "" for none."""

NOWHERE: Key = ("", "", "")


@dataclass(slots=True)
class Taken:
    """What calls took."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    total: int = 0

    def add(self, other: Taken) -> None:
        """Add what others took."""
        self.calls += other.calls
        self.prompt = min(self.prompt + other.prompt, MOST_TOKENS)
        self.completion = min(self.completion + other.completion, MOST_TOKENS)
        self.total = min(self.total + other.total, MOST_TOKENS)


@dataclass(slots=True)
class TokenTally:
    """Of one run; of nodes inside nodes, too."""

    _taken: dict[Key, Taken] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take how a node ended that has such an output."""
        if event.why not in NOT_RUN and event.node is not None and event.outputs:
            self._add(event.node, event.outputs.get(PORT))

    def take_told(self, node: str, why: str | None, usage: bytes) -> None:
        """Take how a node ended that has such an output, as its event tells it: the JSON of that."""
        if why not in NOT_RUN:
            self._add(node, msgspec.json.decode(usage))

    def take_all(self, other: TokenTally) -> None:
        """Take all that another one took."""
        for key, taken in other._taken.items():
            self._put(key, taken)

    def __bool__(self) -> bool:
        return bool(self._taken)

    def _add(self, node: str, usage: Any) -> None:
        taken = taken_of(usage)
        if taken is not None:
            # Iterations of one node are one: a map may have very many.
            key = (_without_rounds(node), _name(usage, "provider"), _name(usage, "model"))
            self._put(key, taken)

    def _put(self, key: Key, taken: Taken) -> None:
        if key not in self._taken and len(self._taken) >= MOST_KEYS:
            key = NOWHERE
        self._taken.setdefault(key, Taken()).add(taken)

    def summed(self, spell: Spell) -> list[dict[str, Any]]:
        """Return what calls took by type of node, provider and model: most first.

        A node that is called by a queue is not counted: the run that carries it is. Nor is one in which others
        were: it passes on what these reported. Of what is in a canvas that a node runs nothing is told but that
        node's type, for not all who see the run may read that canvas.
        """
        groups: dict[Key, Taken] = {}
        outer = {owner for path, _, _ in self._taken for owner in _owners(path)}
        for (path, provider, model), taken in self._taken.items():
            told = _told_of(spell, path)
            if path in outer or any(_is_placed(spell, node) for node in told.split("/")):
                continue
            key = (_type_of(spell, told), provider, model)
            if told != path:
                key = (key[0], "", "")
            if key not in groups and len(groups) >= MOST_GROUPS:
                key = NOWHERE
            groups.setdefault(key, Taken()).add(taken)
        found = [
            {
                "type": type_ or None,
                "provider": provider or None,
                "model": model or None,
                "calls": taken.calls,
                "prompt_tokens": taken.prompt,
                "completion_tokens": taken.completion,
                "total_tokens": taken.total,
            }
            for (type_, provider, model), taken in groups.items()
        ]
        return sorted(found, key=lambda group: -group["total_tokens"])


def taken_of(usage: Any) -> Taken | None:
    """Return what one call reported; None for what is no such report."""
    if not isinstance(usage, Mapping):
        return None
    prompt = next(_counts(usage, PROMPT), 0)
    completion = next(_counts(usage, COMPLETION), 0)
    total = next(_counts(usage, ("total_tokens",)), 0) or prompt + completion
    return Taken(1, prompt, completion, min(total, MOST_TOKENS)) if total else None


def _counts(usage: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[int]:
    """Yield the counts among these fields: whole, plain and not absurd. They are somebody's node's."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < MOST_TOKENS:
            yield value


def _name(usage: Mapping[str, Any], name: str) -> str:
    value = usage.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(filter(str.isprintable, value[:MOST_NAME]))


def _without_rounds(path: str) -> str:
    """Return a path without the numbers of rounds: ``map[3]/x`` is ``map/x``."""
    if "[" not in path:
        return path
    return "/".join(part.partition("[")[0] for part in path.split("/"))


def _owners(path: str) -> Iterator[str]:
    """Yield the paths of the nodes that run the one at a path inside themselves."""
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _told_of(spell: Spell, path: str) -> str:
    """Return a path up to the node that runs another canvas: of that the spell knows nothing."""
    parts = path.split("/")
    for depth, id in enumerate(parts[:-1], 1):
        node = spell.nodes.get(id)
        body = None if node is None else node.settings.body
        if body is not None and body.spell is not None:
            return "/".join(parts[:depth])
    return path


def _type_of(spell: Spell, path: str) -> str:
    """Return the type of a node; of one that the spell does not know, that of the node in which it is."""
    parts = path.split("/")
    node = spell.nodes.get(parts[-1]) or spell.nodes.get(parts[0])
    return "" if node is None else node.type


def _is_placed(spell: Spell, name: str) -> bool:
    node = spell.nodes.get(name)
    return node is not None and node.settings.queue is not None
