"""The shapes of control: one after the other, beside each other, over a list, again and again, either way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spellwork.errors import WorkflowInvalid
from spellwork.node_type import NodeType

from .handles import End, GroupHandle, Parallel, Step, Subspell
from .wiring import Wiring

Source = Step[Any] | End
BodyLike = GroupHandle | Subspell | NodeType | str
"""What a node runs inside itself: a group drawn here, another spell, or a node type (or its id)."""


class Control(Wiring):
    """The part of a sketch that draws several nodes or wires at once."""

    node: Callable[..., Step[Any]]

    def pipe(self, *stages: Any) -> Step[Any]:
        """Wire stages one after the other, and return the last.

        A stage is a step, a node type or its id (a node is added), a pair of
        that with inputs, or a list of stages beside each other.

        Raises:
            WorkflowInvalid: when two stages do not fit each other.
        """
        made: Any = None
        for stage in stages:
            step = self._stage(stage)
            made = step if made is None else self.join(made, step)
        if isinstance(made, Parallel) and len(made) == 1:
            made = made[0]
        if made is None or isinstance(made, Parallel):
            raise WorkflowInvalid("a pipe ends in one stage" if made else "a pipe needs a stage")
        return Step(made.sketch, made.node) if isinstance(made, End) else made

    def parallel(self, *stages: Any) -> Parallel:
        """Add stages beside each other. ``a >> wf.parallel("x.one", "x.two") >> b`` wires both on both sides."""
        if not stages:
            raise WorkflowInvalid("parallel needs a stage")
        return Parallel(self, tuple(map(self._stage, stages)))  # type: ignore[arg-type]

    def map(
        self,
        items: Source | list[Any],
        body: BodyLike | None = None,
        inputs: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Step[list[Any]]:
        """Add a node that runs ``body`` for each of ``items``, results in the same order.

        Without a body the node's ``code`` is run: ``wf.map(items, code="item * 2")``.
        """
        return self._with_body("core.map", body, {"items": items} | dict(inputs or {}), fields)

    def reduce(
        self,
        items: Source | list[Any],
        body: BodyLike | None = None,
        inputs: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Step[Any]:
        """Add a node that makes one value of ``items``: ``body`` takes ``item`` and ``accumulator``, and gives the next.

        It begins with ``inputs["initial"]``, else with the first item. Without a
        body the node's ``code`` is run.
        """
        return self._with_body("core.reduce", body, {"items": items} | dict(inputs or {}), fields)

    def while_(
        self,
        body: BodyLike,
        inputs: Mapping[str, Any] | None = None,
        *,
        at_most: int,
        **fields: Any,
    ) -> Step[Any]:
        """Add a node that runs ``body`` again and again, ``at_most`` times; what an output leaves goes in by its name.

        It goes on while the body's output ``again``, the node's ``code``, or
        the comparison of ``path``, ``operator`` and ``right`` in ``inputs`` holds.
        """
        given = dict(inputs or {}) | {"at_most": at_most}
        return self._with_body("core.while", body, given, fields)

    def if_(self, condition: Any, value: Any, **fields: Any) -> Step[Any]:
        """Add a choice: ``value`` leaves by ``step.then`` when ``condition`` holds, else by ``step.otherwise``."""
        return self.node("core.if", {"value": value, "condition": condition}, **fields)

    def subspell(
        self, spell: str, inputs: Mapping[str, Any] | None = None, **fields: Any
    ) -> Step[Any]:
        """Add another spell (the id of a canvas, or a file) as a node."""
        return self._with_body("core.spell", Subspell(spell), dict(inputs or {}), fields)

    def _with_body(
        self, type: str, body: BodyLike | None, inputs: dict[str, Any], fields: dict[str, Any]
    ) -> Step[Any]:
        if body is not None:
            settings = fields.get("settings") or {}
            if not isinstance(settings, Mapping):
                settings = settings.model_dump(exclude_unset=True)
            fields = fields | {"settings": {**settings, "body": _body(body)}}
        return self.node(type, inputs, **fields)

    def _stage(self, stage: Any) -> Any:
        if isinstance(stage, (Step, End, Parallel)):
            return stage
        if isinstance(stage, list):
            return self.parallel(*stage)
        if isinstance(stage, (str, NodeType)):
            return self.node(stage)
        if isinstance(stage, tuple) and len(stage) == 2:
            return self.node(*stage)
        raise WorkflowInvalid(
            f"a stage is a step, a node type, (type, inputs) or a list of stages, not {stage!r:.100}"
        )


def _body(body: Any) -> dict[str, str]:
    if isinstance(body, GroupHandle):
        return {"group": body.id}
    if isinstance(body, Subspell):
        return {"spell": body.spell}
    if isinstance(body, NodeType):
        return {"type": body.id}
    if isinstance(body, str):
        return {"type": body}
    raise WorkflowInvalid(f"a body is a group, a subspell or a node type, not {body!r:.100}")
