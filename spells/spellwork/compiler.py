"""Compile a spell to a plan: pure, and the same bytes for the same spell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from .analysis import Analysis, Part
from .bodies import Inside, Spells
from .collector import collector_paused
from .errors import NodeError, SpellInvalid
from .inputs import place_inputs
from .library import Library
from .memory import Remembered, RunMemory
from .node_type import CachePolicy, NodeType
from .plan import Plan
from .ports import Port, Ports
from .problems import FAULTS, Problem
from .program import assemble, differ_by_values, with_values
from .reaching import Reach, reached
from .recipes import local_of
from .requirements import environment_for, with_requirements
from .spell import AS_DECLARED, Node, NodeSettings, Spell
from .standing import Standing, placeholder
from .step import Binding, Step, Wire
from .subplan import Gifts, SubPlan, capture_name, subplan
from .values import to_json

DEFAULT_TTL = 300.0
"""Seconds that an output with policy "ttl" is kept when nothing says how long."""

_NOTHING: Mapping[str, Any] = {}
_proven = attrgetter("proven")


def compile(
    spell: Spell,
    library: Library,
    inputs: Mapping[str, Any] | None = None,
    scope: Sequence[str] | None = None,
    *,
    reach: Reach = "needed",
    memory: RunMemory | None = None,
    environment: str = "",
    packages: str | None = None,
    analysis: Analysis | None = None,
    spells: Spells | None = None,
) -> Plan:
    """Return the plan of a spell, or of the nodes in ``scope`` and all they need.

    ``reach`` says what besides the scope is taken in, and what is taken from
    the last run, which left it in ``memory``: see ``reaching``.

    ``inputs`` are put in the place of what is typed in or wired (see
    ``place_inputs`` for the keys). ``environment`` names what else outputs
    depend on (interpreter, installed packages); it is part of every recipe.
    ``packages`` names what is installed where Python workers run, in the place
    of what the spell requires; it is part of the recipes of their calls.
    ``analysis`` is that of this very spell, where the caller kept it; without
    it, ``spells`` finds those that nodes run inside themselves.

    Raises:
        SpellInvalid: when nodes that would run cannot be put in order, are of
            unknown type, or are wired wrongly. A node that merely lacks an
            input or has a bad value or bad code is compiled, and fails alone.
        InvalidInput: for an input or a scope that the spell does not have.
        NoValue: where a value of the last run is needed that it did not leave.
    """
    with collector_paused():  # as a decorator it would hold the spell to the end
        own = analysis is None or analysis.spell is not spell
        if analysis is None or own:
            analysis = Analysis(spell, library, spells)
        taken = reached(analysis, scope, reach, memory)
        running = None if taken is None else taken.running
        if running is not None:
            running |= analysis.regions.within(running)
        kept = {} if taken is None else taken.kept
        _refuse(analysis, running)
        environment = with_requirements(environment, spell.requirements, packages)
        given = place_inputs(analysis, inputs) if inputs else {}
        if given and not own and taken is None and analysis.library is library:
            plan = _with_values(analysis, environment, given)
            if plan is not None:
                return plan
        within, parts = analysis.regions.of, analysis.parts
        spent = own and not within  # where nobody else has the parts, each makes room for its step
        if spent:
            analysis.needs.clear()
        steps: list[Step] = []
        index: dict[str, int] = {}
        maker = _Maker(index, environment)
        for id in analysis.ordered:
            if id in within:  # its owner runs it
                continue
            if id in kept:
                index[id] = len(steps)
                steps.append(_kept_step(index[id], id, analysis, kept[id]))
            elif running is None or id in running:
                index[id] = len(steps)
                part = parts.pop(id) if spent else parts[id]
                body = None if part.inside is None else _body(analysis, part, environment, given)
                standing = analysis.standing.get(id)
                own_values = given.get(id, _NOTHING)
                steps.append(maker.step(part, own_values, standing=standing, body=body))
        name, warnings = spell.name, tuple(analysis.problems)
        outside = frozenset(() if running is None else spell.nodes.keys() - index.keys())
        del spell, analysis, parts  # they make room for the arrays
        return Plan(
            name=name,
            steps=tuple(steps),
            library=library,
            program=assemble(steps),
            environment=environment,
            warnings=warnings,
            index=index,
            outside=outside,
        )


def _with_values(
    analysis: Analysis, environment: str, given: Mapping[str, Mapping[str, Any]]
) -> Plan | None:
    """Return the plan with values in the place of others that are typed in: it differs from the one without by these.

    None where it differs by more: wires that end, or bodies that get other values.
    """
    if any(
        id in analysis.regions.of or id in analysis.standing or analysis.parts[id].inside
        for id in given
    ):
        return None
    plain = analysis.plans.get(environment)
    if plain is None:
        plain = analysis.plans[environment] = compile(
            analysis.spell,
            analysis.library,
            environment=environment,
            analysis=analysis,
            packages="",
        )
    steps = list(plain.steps)
    maker = _Maker(plain.index, environment)
    changed = []
    for id, values in given.items():
        index = plain.index[id]
        step = maker.step(analysis.parts[id], values)
        if not differ_by_values(plain.steps[index], step):
            return None
        steps[index] = step
        changed.append(index)
    program = with_values(plain.program, steps, changed)
    return replace(plain, steps=tuple(steps), program=program, varies=(plain, changed))


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
    return _Maker({id: 0}, environment).step(analysis.parts[id])


def _body(
    analysis: Analysis, part: Part, environment: str, given: Mapping[str, Mapping[str, Any]]
) -> SubPlan | None:
    """Return what a node runs inside itself, compiled, or None; made once for each spell, and for each group.

    ``given`` are inputs of the run for nodes of ``analysis``.
    """
    inside = part.inside
    if inside is None or part.id in analysis.standing:
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
    maker = _Maker(index, environment)
    for id in analysis.ordered:
        if regions.of.get(id) == inside.region and id not in index:
            index[id] = len(steps)
            part = analysis.parts[id]
            steps.append(
                maker.step(
                    part,
                    given.get(id, _NOTHING),
                    standing=analysis.standing.get(id),
                    body=_body(analysis, part, environment, given),
                    opened=gifts.opened.get(id, _NOTHING),
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


class _Maker:
    """Makes the steps of one plan; what nodes of a type have in common is made once."""

    def __init__(self, index: Mapping[str, int], environment: str) -> None:
        self._index = index
        self._environment = environment
        self._declared: dict[NodeType, tuple[CachePolicy, float | None, str]] = {}
        """By type, how its nodes are cached, for how long, and what they are, unless they say otherwise."""
        self._defaults: dict[int, Binding] = {}

    def step(
        self,
        part: Part,
        given: Mapping[str, Any] = _NOTHING,
        *,
        standing: Standing | None = None,
        body: SubPlan | None = None,
        opened: Mapping[str, Wire] = _NOTHING,
    ) -> Step:
        """Return the step of a node.

        ``opened`` are inputs that are the body's: what they get is checked there, a list whole.
        """
        if standing is not None:
            return self._standing(part, given, standing, opened)
        node, declared, settings = part.node, part.type, part.node.settings
        fault = part.fault
        if fault is not None and (fault.port in given or fault.port in opened):
            fault = None
        bindings = [self._binding(part, port, given, opened) for port in part.inputs.values()]
        if given:  # of a node that takes inputs under any name, perhaps such that it has not yet
            further = [Port(name) for name in given if name not in part.inputs]
            bindings += [self._binding(part, port, given, opened) for port in further]
        if body is not None and body.captured:
            bindings += self._captured(body)
        if settings is AS_DECLARED and body is None:
            policy, ttl, local = self._as_declared(declared)
            if node.code is not None:
                local = self._local_of(part)
            return Step(
                index=self._index[part.id],
                id=part.id,
                node=node,
                type=declared,
                ports=part.ports,
                bindings=tuple(bindings),
                local=local,
                cache=policy,
                ttl=ttl,
                timeout=declared.timeout,
                retries=declared.retries,
                backoff=declared.backoff,
                fault=fault,
            )
        policy, ttl = _policy(declared, settings, body)
        pins = to_json(settings.pins) if settings.pins else {}
        made_of = ([pins] if pins else []) + (["body", body.recipe] if body is not None else [])
        return Step(
            index=self._index[part.id],
            id=part.id,
            node=node,
            type=declared,
            ports=part.ports,
            bindings=tuple(bindings),
            local=self._local_of(part, *made_of),
            cache=policy,
            ttl=ttl,
            timeout=settings.timeout if settings.timeout is not None else declared.timeout,
            retries=settings.retries if settings.retries is not None else declared.retries,
            backoff=settings.backoff if settings.backoff is not None else declared.backoff,
            fault=fault,
            body=body,
            pins=pins,
        )

    def _standing(
        self, part: Part, given: Mapping[str, Any], standing: Standing, opened: Mapping[str, Wire]
    ) -> Step:
        """Return the step of a node that is not run: of its inputs it has those that pass through it."""
        passing = {name for _, name, _ in standing.passes}
        pins = part.node.settings.pins
        return Step(
            index=self._index[part.id],
            id=part.id,
            node=part.node,
            type=part.type,
            ports=part.ports,
            bindings=tuple(
                self._binding(part, port, given, opened)
                for port in part.inputs.values()
                if port.name in passing
            ),
            local=self._local_of(part),
            cache="deterministic",
            stand=standing.stand,
            pins=to_json(pins) if pins else {},
            passes=standing.passes,
        )

    def _local_of(self, part: Part, *further: Any) -> str:
        declared, code = part.type, part.node.code
        if code is None and not further:
            return self._as_declared(declared)[2]
        return local_of(declared, code, environment_for(declared, self._environment), *further)

    def _as_declared(self, declared: NodeType) -> tuple[CachePolicy, float | None, str]:
        known = self._declared.get(declared)
        if known is None:
            local = local_of(declared, None, environment_for(declared, self._environment))
            known = self._declared[declared] = (*_policy(declared, AS_DECLARED), local)
        return known

    def _captured(self, body: SubPlan) -> list[Binding]:
        return [
            Binding(
                capture_name(*taken),
                (Wire(self._index[taken[0]], taken[1], spared=taken in body.spared),),
            )
            for taken in body.captured
        ]

    def _binding(
        self, part: Part, port: Port, given: Mapping[str, Any], opened: Mapping[str, Wire]
    ) -> Binding:
        name, declared = port.name, part.type
        if opened and name in opened:
            return Binding(name, (opened[name],))
        if given and name in given:
            return _constant(declared, port, given[name])
        links = part.links.get(name)
        if links:
            index = self._index
            wires = [
                Wire(index[link.source], link.output, link.edge, link.transform) for link in links
            ]
            check = name in declared.adapters and not (
                name in declared.plain_inputs and all(map(_proven, links))
            )
            return Binding(name, tuple(wires), None, None, port.many, check)
        if name in part.node.inputs:
            return _constant(declared, port, part.node.inputs[name])
        known = self._defaults.get(id(port))
        if known is None:
            default = [] if port.many and port.default is None else port.default
            known = self._defaults[id(port)] = Binding(name, value=default, given=default)
        return known


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
        cache="deterministic",
        stand="kept",
        pins=old.outputs,
        left=old.shape,
    )


def _constant(declared: NodeType, port: Port, value: Any) -> Binding:
    adapter = declared.adapters.get(port.name)
    try:
        given = value if adapter is None else adapter.validator.validate_python(value)
    except ValueError:  # the step has a fault and will say so instead of being called
        given = value
    return Binding(port=port.name, value=value, given=given)


def _policy(
    declared: NodeType, settings: NodeSettings, body: SubPlan | None = None
) -> tuple[CachePolicy, float | None]:
    policy: CachePolicy = "none" if declared.side_effects else declared.cache
    if body is not None and policy != "none" and settings.cache is None and settings.ttl is None:
        return body.cache, body.ttl
    if settings.cache is not None:
        policy = settings.cache
    elif settings.ttl is not None:
        policy = "ttl"
    return policy, (settings.ttl or declared.ttl or DEFAULT_TTL) if policy == "ttl" else None
