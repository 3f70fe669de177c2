"""Spells made to hold the server up, or to fill its memory, are answered soon."""

from __future__ import annotations

import time

from spellwork import Library, Node, Spell, validate
from spellwork.cycles import find_cycles


def ring(size: int) -> dict[str, set[str]]:
    return {f"n{place:05}": {f"n{(place - 1) % size:05}"} for place in range(size)}


def dense(size: int) -> dict[str, set[str]]:
    ids = [f"n{place:05}" for place in range(size)]
    return {id: set(ids) - {id} for id in ids}


def test_a_cycle_through_ten_thousand_nodes_is_found_soon() -> None:
    needs = ring(10_000)
    begun = time.process_time()
    cycles = find_cycles(needs, needs)
    assert time.process_time() - begun < 5
    assert len(cycles) == 1
    assert len(cycles[0]) == 10_001
    assert cycles[0][0] == cycles[0][-1] == "n00000"


def test_the_shortest_cycle_of_a_dense_tangle_is_found_soon() -> None:
    needs = dense(200)
    begun = time.process_time()
    assert find_cycles(needs, needs) == [["n00000", "n00001", "n00000"]]
    assert time.process_time() - begun < 5


def test_more_code_than_can_be_read_soon_is_refused_unread() -> None:
    cell = "".join(f"y{place} = 1\n" for place in range(9_000))
    nodes = {f"n{place}": Node(type="code.python", code=f"{cell}# {place}") for place in range(50)}
    begun = time.process_time()
    problems = validate(Spell(nodes=nodes), Library.installed())
    assert [(each.code, each.details["limit"]) for each in problems] == [("too_large", 500_000)]
    assert time.process_time() - begun < 2


def test_a_template_of_many_places_has_inputs_for_the_first_hundred() -> None:
    text = "".join(f"{{a{place}}}" for place in range(100_000))
    begun = time.process_time()
    ports = Library.installed().ports(Node(type="core.template", inputs={"template": text}))
    assert ports is not None
    assert [port.name for port in ports.inputs][-1] == "a99"
    assert ports.extra_inputs
    assert time.process_time() - begun < 2
