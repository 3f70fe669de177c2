"""Compile a spell to a plan: pure, and the same bytes for the same spell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .analysis import Analysis, Part
from .bodies import Inside, Spells
from .errors import NodeError, SpellInvalid
from .inputs import place_inputs
from .library import Library
from .memory import Remembered, RunMemory
from .node_type import CachePolicy, NodeType
from .plan import Plan
from .ports import Port, Ports
from .problems import FAULTS, Problem
from .program import assemble
from .reaching import Reach, reached
from .spell import Node, Spell
from .standing import Standing, placeholder
from .step import Binding, Step, Wire
from .subplan import Gifts, SubPlan, capture_name, subplan
from .transform import described
from .values import digest, to_json

DEFAULT_TTL = 300.0
"""Seconds that an output with policy "ttl" is kept when nothing says how long."""

_NOTHING: Mapping[str, Any] = {}


def compile(
    spell: Spell,
    library: Library,
    inputs: Mapping[str, Any] | None = None,
    scope: Sequence[str] | None = None,
    *,
    reach: Reach = "needed",
    memory: RunMemory | None = None,
    environment: str = "",
    analysis: Analysis | None = None,
    spells: Spells | None = None,
) -> Plan:
    """Return the plan of a spell, or of the nodes in ``scope`` and all they need.

    ``reach`` says what besides the scope is taken in, and what is taken from
    the last run, which left it in ``memory``: see ``reaching``.

    ``inputs`` are put in the place of what is typed in or wired (see
    ``place_inputs`` for the keys). ``environment`` names what else outputs
    depend on (interpreter, installed packages); it is part of every recipe.
    ``analysis`` is that of this very spell, where the caller kept it; without
    it, ``spells`` finds those that nodes run inside themselves.

    Raises:
        SpellInvalid: when nodes that would run cannot be put in order, are of
            unknown type, or are wired wrongly. A node that merely lacks an
            input or has a bad value or bad code is compiled, and fails alone.
        InvalidInput: for an input or a scope that the spell does not have.
        NoValue: where a value of the last run is needed that it did not leave.
    """
    if analysis is None or analysis.spell is not spell:
        analysis = Analysis(spell, library, spells)
    taken = reached(analysis, scope, reach, memory)
    running = None if taken is None else taken.running
    if running is not None:
        running |= analysis.regions.within(running)
    kept = {} if taken is None else taken.kept
    _refuse(analysis, running)
    given = place_inputs(analysis, inputs) if inputs else {}
    steps: list[Step] = []
    index: dict[str, int] = {}
    for id in analysis.ordered:
        if id in analysis.regions.of:  # its owner runs it
            continue
        if id in kept:
            index[id] = len(steps)
            steps.append(_kept_step(index[id], id, analysis, kept[id]))
        elif running is None or id in running:
            index[id] = len(steps)
            steps.append(
                _step(
                    analysis.parts[id],
                    index,
                    steps,
                    given.get(id, {}),
                    environment,
                    standing=analysis.standing.get(id),
                    body=_body(analysis, id, environment, given),
                )
            )
    return Plan(
        name=spell.name,
        steps=tuple(steps),
        library=library,
        program=assemble(steps),
        environment=environment,
        warnings=tuple(analysis.problems),
        index=index,
        outside=frozenset(() if running is None else spell.nodes.keys() - index.keys()),
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


def _body(
    analysis: Analysis, id: str, environment: str, given: Mapping[str, Mapping[str, Any]]
) -> SubPlan | None:
    """Return what a node runs inside itself, compiled, or None; made once for each spell, and for each group.

    ``given`` are inputs of the run for nodes of ``analysis``.
    """
    inside = analysis.parts[id].inside
    if inside is None or id in analysis.standing:
        return None
    own = given if inside.analysis is analysis and _concerns(given, inside) else {}
    key = (inside.region, environment, inside.fanned)
    made: SubPlan | None = None if own else inside.analysis.subplans.get(key)
    if made is None:
        made = _make_body(inside, environment, own)
        if not own:
            inside.analysis.subplans[key] = made
    return made


def _concerns(given: Mapping[str, Any], inside: Inside) -> bool:
    return any(id in inside.analysis.regions.of for id in given)


def _make_body(inside: Inside, environment: str, given: Mapping[str, Mapping[str, Any]]) -> SubPlan:
    analysis, regions = inside.analysis, inside.analysis.regions
    captured = () if inside.region is None else regions.captures.get(inside.region, ())
    gifts = Gifts(captured)
    for entry in inside.interface.entries:
        gifts.enter(entry)
    steps, index = list(gifts.steps), dict(gifts.index)
    for id in analysis.ordered:
        if regions.of.get(id) == inside.region and id not in index:
            index[id] = len(steps)
            steps.append(
                _step(
                    analysis.parts[id],
                    index,
                    steps,
                    given.get(id, {}),
                    environment,
                    standing=analysis.standing.get(id),
                    body=_body(analysis, id, environment, given),
                    opened=gifts.opened.get(id, {}),
                )
            )
    return subplan(inside, steps, gifts, analysis.library, environment)


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
        if problem.severity == "error" and problem.code not in FAULTS and concerns(problem)
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
    standing: Standing | None = None,
    body: SubPlan | None = None,
    opened: Mapping[str, Wire] = _NOTHING,
) -> Step:
    """Return the step of a node. ``opened`` are inputs that are the body's: what they get is checked there, a list whole."""
    node, declared, settings = part.node, part.type, part.node.settings
    passing = None if standing is None else {name for _, name, _ in standing.passes}
    bindings = tuple(
        Binding(port.name, (opened[port.name],))
        if port.name in opened
        else _binding(part, port, index, given)
        for port in part.inputs.values()
        if passing is None or port.name in passing
    )
    if body is not None and body.captured:
        bindings += tuple(
            Binding(capture_name(source, output), (Wire(index[source], output),))
            for source, output in body.captured
        )
    pins = to_json(settings.pins) if settings.pins else {}
    local = shape = recipe = ""
    if hashed:
        pinned = (pins,) if pins and standing is None else ()
        stood = (standing.stand, standing.passes, pins) if standing is not None else ()
        inner = () if body is None else ("body", body.recipe)
        local = digest(declared.id, declared.version, node.code, environment, *pinned, *inner)
        shape = digest(local, [_shape(binding, steps) for binding in bindings], *stood)
        sources = [steps[wire.source].recipe for binding in bindings for wire in binding.wires]
        recipe = digest(shape, sources) if sources else shape
    policy, ttl = _policy(part, body) if standing is None else ("deterministic", None)
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
        fault=part.fault if standing is None and _holds(part.fault, {**given, **opened}) else None,
        body=body,
        stand=None if standing is None else standing.stand,
        pins=pins,
        passes=() if standing is None else standing.passes,
    )


def _holds(fault: Problem | None, given: Mapping[str, Any]) -> bool:
    return fault is not None and fault.port not in given


def _kept_step(index: int, id: str, analysis: Analysis, old: Remembered) -> Step:
    """Return the step of a node that is not run, with the outputs that the last run left of it."""
    node, part = analysis.spell.nodes[id], analysis.parts.get(id)
    return Step(
        index=index,
        id=id,
        node=node,
        type=placeholder(node) if part is None else part.type,
        ports=Ports(outputs=tuple(Port(name) for name in old.outputs)),
        bindings=(),
        local=old.local,
        shape=old.shape,
        recipe=digest("kept", id, old.shape),
        cache="deterministic",
        stand="kept",
        pins=old.outputs,
    )


def _binding(part: Part, port: Port, index: Mapping[str, int], given: Mapping[str, Any]) -> Binding:
    name, declared = port.name, part.type
    if name in given:
        return _constant(declared, port, given[name])
    links = part.links.get(name)
    if links:
        return Binding(
            port=name,
            wires=tuple(
                Wire(index[link.source], link.output, link.edge, link.transform) for link in links
            ),
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


def _policy(part: Part, body: SubPlan | None = None) -> tuple[CachePolicy, float | None]:
    settings, declared = part.node.settings, part.type
    policy: CachePolicy = "none" if declared.side_effects else declared.cache
    if body is not None and policy != "none" and settings.cache is None and settings.ttl is None:
        return body.cache, body.ttl
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
            [
                [steps[wire.source].id, wire.output, *described(wire.transform)]
                if wire.transform
                else [steps[wire.source].id, wire.output]
                for wire in binding.wires
            ],
        ]
    return [binding.port, to_json(binding.value)]
