"""How often nodes may be called: by node, type, provider, user and server."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .context import Context
from .events import Event
from .gates import Gate, Passage, Waiting
from .limiters import Clock
from .spell import NodeLimits
from .step import Step

KEPT_GATES = 10_000
"""Gates that are kept; beyond, those go that were used longest ago."""

LOOKED_AT = 64
"""How many of those that were used longest ago are looked at when there are too many."""

LONGEST_DEFERRAL = 3_600.0
"""Seconds for which a provider is let be at most, whatever it asks for."""

RETOLD = 0.5
"""Seconds by which the end of a wait must have moved to be told again."""

_ROUND = re.compile(r"\[\d+\]")
"""In the path of a node: which iteration it is inside of. All share a node's limits."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class LimitRules(BaseModel):
    """The limits that an operator sets. Each holds for all that it covers together, ``user`` for each user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: NodeLimits | None = Field(default=None, description="All node calls of this process.")
    user: NodeLimits | None = Field(default=None, description="The node calls of each user.")
    types: dict[Name, NodeLimits] = Field(default_factory=dict, description="By node type.")
    providers: dict[Name, NodeLimits] = Field(
        default_factory=dict, description="By provider, as node types name it."
    )


NO_RULES = LimitRules()
"""No limits but those of nodes' own settings."""


class Limiters:
    """The gates of one process: give the same to all its Executions, on one event loop.

    Node limits come from the node's settings and count for a canvas, whichever
    run it is; all others are the operator's.
    """

    def __init__(self, rules: LimitRules | None = None, clock: Clock | None = None) -> None:
        self.rules = rules or NO_RULES
        self.clock = clock or Clock()
        self._gates: OrderedDict[tuple[object, ...], Gate] = OrderedDict()

    @property
    def are_wide(self) -> bool:
        """Whether there are limits of which a node and its type say nothing."""
        rules = self.rules
        return rules.server is not None or rules.user is not None or bool(rules.types)

    def covers(self, step: Step) -> bool:
        """Say whether any limit may hold for a step's calls."""
        rules = self.rules
        return bool(
            step.node.settings.limits is not None
            or step.type.limiter is not None
            or rules.server is not None
            or rules.user is not None
            or step.type.id in rules.types
        )

    def passage(
        self, step: Step, context: Context, report: Callable[[Event], None]
    ) -> Passage | None:
        """Return the way to a call of a step, None where it is free; ``report`` hears of the waits."""
        gates = self._of(step, context) if self.covers(step) else []
        return Passage(gates, self.clock, _teller(step.id, report)) if gates else None

    def defer(self, provider: str, user: str | None, seconds: float) -> None:
        """Let no node of the provider start for so many seconds, in the runs of this user.

        Not in those of others: whom a node asks is for its user to say.
        """
        self._deferral(provider, user).defer(min(seconds, LONGEST_DEFERRAL))

    def _of(self, step: Step, context: Context) -> list[Gate]:
        rules, settings, declared = self.rules, step.node.settings, step.type
        user = context.user
        gates = []
        if settings.limits is not None:
            place = context.canvas or context.run_id
            path = _ROUND.sub("", context.node_id)
            gates.append(self._gate(("node", place, path), f"the node {path!r}", settings.limits))
        if (of_type := rules.types.get(declared.id)) is not None:
            gates.append(self._gate(("type", declared.id), f"the type {declared.id!r}", of_type))
        if settings.body is not None:  # what is inside counts, not what it is inside of
            return gates
        if (provider := context.provider) is not None:
            gates.append(self._deferral(provider, user))
            if (of_provider := rules.providers.get(provider)) is not None:
                what = f"the provider {provider!r}"
                gates.append(self._gate(("provider", provider), what, of_provider))
        if rules.user is not None and user is not None:
            gates.append(self._gate(("user", user), "the user", rules.user))
        if rules.server is not None:
            gates.append(self._gate(("server",), "the server", rules.server))
        return gates

    def _deferral(self, provider: str, user: str | None) -> Gate:
        return self._gate(("deferral", provider, user), f"the provider {provider!r}", None)

    def _gate(self, key: tuple[object, ...], what: str, limits: NodeLimits | None) -> Gate:
        key = (*key, limits)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = Gate(what, limits, self.clock)
            self._forget_some()
        else:
            self._gates.move_to_end(key)
        return gate

    def _forget_some(self) -> None:
        """Drop gates that nobody has used for long: idle ones, and of nodes all that nobody waits at."""
        if len(self._gates) <= KEPT_GATES:
            return
        for key, gate in list(islice(self._gates.items(), LOOKED_AT)):
            if gate.is_idle() or (key[0] == "node" and not gate.in_use):
                del self._gates[key]


def provider_of(step: Step, inputs: Mapping[str, Any]) -> str | None:
    """Return whom a call of the step with these inputs asks, as its type says."""
    limiter = step.type.limiter
    return limiter(inputs) if callable(limiter) else limiter


def _teller(node: str, report: Callable[[Event], None]) -> Waiting:
    """Return what tells of a node's waits, each once."""
    told: dict[str, float | None] = {}

    def tell(what: str, until: float | None) -> None:
        before = told.get(what)
        if what in told and (until is None or (before and abs(until - before) < RETOLD)):
            return
        told.clear()
        told[what] = until
        data = {"for": "limit"} | ({} if until is None else {"until": until})
        message = f"waits for a limit of {what}"
        report(Event("node.waiting", time.time(), node, message=message, data=data))

    return tell
