"""Compile a spell to a plan: pure, and the same bytes for the same spell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .analysis import Analysis, Part
from .errors import InvalidInput, NodeError, SpellInvalid
from .inputs import place_inputs
from .library import Library
from .node_type import CachePolicy, NodeType
from .plan import Plan
from .ports import Port
from .problems import Problem
from .program import assemble
from .spell import Node, Spell
from .step import Binding, Step, Wire
from .values import hash_bytes, to_json

_FAULTS = frozenset({"missing_input", "invalid_input", "code_error"})
"""Problems that fail their node when it runs, instead of keeping the spell from running."""

DEFAULT_TTL = 300.0
"""Seconds that an output with policy "ttl" is kept when nothing says how long."""

_encoder = msgspec.msgpack.Encoder(order="deterministic")


def compile(
    spell: Spell,
    library: Library,
    inputs: Mapping[str, Any] | None = None,
    scope: Sequence[str] | None = None,
    *,
    environment: str = "",
    analysis: Analysis | None = None,
) -> Plan:
    """Return the plan of a spell, or of the nodes in ``scope`` and all they need.

    ``inputs`` are put in the place of what is typed in or wired (see
    ``place_inputs`` for the keys). ``environment`` names what else outputs
    depend on (interpreter, installed packages); it is part of every recipe.
    ``analysis`` is that of this very spell, where the caller kept it.

    Raises:
        SpellInvalid: when nodes that would run cannot be put in order, are of
            unknown type, or are wired wrongly. A node that merely lacks an
            input or has a bad value or bad code is compiled, and fails alone.
        InvalidInput: for an input or a scope that the spell does not have.
    """
    if analysis is None or analysis.spell is not spell:
        analysis = Analysis(spell, library)
    running = _running(analysis, scope)
    _refuse(analysis, running)
    given = place_inputs(analysis, inputs) if inputs else {}
    steps: list[Step] = []
    index: dict[str, int] = {}
    for id in analysis.ordered:
        if running is None or id in running:
            index[id] = len(steps)
            steps.append(_step(analysis.parts[id], index, steps, given.get(id, {}), environment))
    return Plan(
        name=spell.name,
        steps=tuple(steps),
        library=library,
        program=assemble(steps),
        environment=environment,
        warnings=tuple(analysis.problems),
        index=index,
    )


def compile_call(
    library: Library,
    id: str,
    type: str,
    inputs: Mapping[str, Any],
    code: str | None,
    environment: str = "",
) -> Step:
    """Return the step of a node called from within another (``Context.call``); inputs may be any values.

    Raises:
        NodeError: when the type is unknown, or the step has a fault.
    """
    node = Node.model_construct(type=type, inputs=dict(inputs), code=code)
    analysis = Analysis(Spell.model_construct(nodes={id: node}, edges={}), library)
    problems = [problem for problem in analysis.problems if problem.severity == "error"]
    if problems:
        raise NodeError(
            problems[0].message, code=problems[0].code, port=problems[0].port, retryable=False
        )
    return _step(analysis.parts[id], {id: 0}, [], {}, environment, hashed=False)


def _running(analysis: Analysis, scope: Sequence[str] | None) -> set[str] | None:
    if scope is None:
        return None
    unknown = [id for id in scope if id not in analysis.spell.nodes]
    if unknown:
        raise InvalidInput(
            f"the scope names {', '.join(map(repr, unknown))}, which the spell does not have",
            details={"scope": unknown, "allowed": sorted(analysis.spell.nodes)[:50]},
        )
    running: set[str] = set()
    found = list(scope)
    while found:
        id = found.pop()
        if id not in running:
            running.add(id)
            found.extend(analysis.needs.get(id, ()))
    return running


def _refuse(analysis: Analysis, running: set[str] | None) -> None:
    def concerns(problem: Problem) -> bool:
        if running is None or problem.code == "too_large":
            return True
        if problem.code == "cycle":
            return not running.isdisjoint(problem.details["path"])
        edge = analysis.spell.edges.get(problem.edge or "")
        if edge is not None and problem.code == "dangling_edge":
            return edge.target in running
        return problem.node in running

    fatal = [
        problem
        for problem in analysis.problems
        if problem.severity == "error" and problem.code not in _FAULTS and concerns(problem)
    ]
    if fatal:
        raise SpellInvalid(fatal)


def _step(
    part: Part,
    index: Mapping[str, int],
    steps: Sequence[Step],
    given: Mapping[str, Any],
    environment: str,
    hashed: bool = True,
) -> Step:
    node, declared, settings = part.node, part.type, part.node.settings
    bindings = tuple(_binding(part, port, index, given) for port in part.inputs.values())
    local = shape = recipe = ""
    if hashed:
        local = _hash(declared.id, declared.version, node.code, environment)
        shape = _hash(local, [_shape(binding, steps) for binding in bindings])
        sources = [steps[wire.source].recipe for binding in bindings for wire in binding.wires]
        recipe = _hash(shape, sources) if sources else shape
    policy, ttl = _policy(part)
    return Step(
        index=index[part.id],
        id=part.id,
        node=node,
        type=declared,
        ports=part.ports,
        bindings=bindings,
        local=local,
        shape=shape,
        recipe=recipe,
        cache=policy,
        ttl=ttl,
        timeout=settings.timeout if settings.timeout is not None else declared.timeout,
        retries=settings.retries if settings.retries is not None else declared.retries,
        backoff=settings.backoff if settings.backoff is not None else declared.backoff,
        fault=part.fault if part.fault is None or part.fault.port not in given else None,
    )


def _binding(part: Part, port: Port, index: Mapping[str, int], given: Mapping[str, Any]) -> Binding:
    name, declared = port.name, part.type
    if name in given:
        return _constant(declared, port, given[name])
    links = part.links.get(name)
    if links:
        return Binding(
            port=name,
            wires=tuple(Wire(index[link.source], link.output, link.edge) for link in links),
            many=port.many,
            check=name in declared.adapters
            and not (name in declared.plain_inputs and all(link.proven for link in links)),
        )
    if name in part.node.inputs:
        return _constant(declared, port, part.node.inputs[name])
    default = [] if port.many and port.default is None else port.default
    return Binding(port=name, value=default, given=default)


def _constant(declared: NodeType, port: Port, value: Any) -> Binding:
    adapter = declared.adapters.get(port.name)
    try:
        given = value if adapter is None else adapter.validate_python(value)
    except ValueError:  # the step has a fault and will say so instead of being called
        given = value
    return Binding(port=port.name, value=value, given=given)


def _policy(part: Part) -> tuple[CachePolicy, float | None]:
    settings, declared = part.node.settings, part.type
    policy: CachePolicy = "none" if declared.side_effects else declared.cache
    if settings.cache is not None:
        policy = settings.cache
    elif settings.ttl is not None:
        policy = "ttl"
    return policy, (settings.ttl or declared.ttl or DEFAULT_TTL) if policy == "ttl" else None


def _shape(binding: Binding, steps: Sequence[Step]) -> list[Any]:
    if binding.wires:
        return [
            binding.port,
            binding.many,
            [[steps[wire.source].id, wire.output] for wire in binding.wires],
        ]
    return [binding.port, to_json(binding.value)]


def _hash(*parts: Any) -> str:
    return hash_bytes(_encoder.encode(parts))
