"""What people and programs write by hand is read with care; what is hostile is refused, and nothing of it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import FormatInvalid, Spell, SpellUnreadable, formats
from spellwork.formats import read_ir, read_python, read_yaml
from spellwork.reading import read_bytes
from tests.seeds import examples
from tests.spells.nodes import library

HEAD = "from spellwork import Workflow\nwf = Workflow('x')\n"


@pytest.mark.rule("10.6")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("# nothing\n", None),
        ("{on: 1, 2: b, ~: c, yes: no}", {"on": 1, "2": "b", "~": "c", "yes": False}),
        ("a: 2020-01-01\nb: 12:30:45", {"a": "2020-01-01", "b": 45045}),
        ("a: &x [1, 2]\nb: *x", {"a": [1, 2], "b": [1, 2]}),
        ("a: |\r\n  one\r\n  two\r\n", {"a": "one\ntwo\n"}),
        ('a: !!str 1\nb: "1"\nc: ! 1', {"a": "1", "b": "1", "c": "1"}),
        ("\ufeffa: 0x1F\n", {"a": 31}),
        ("a: =\n", {"a": "="}),
    ],
)
def test_yaml_by_hand_is_read(text: str, value: Any) -> None:
    assert read_yaml(text.encode()) == value


@pytest.mark.rule("10.6")
@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' is there twice", 3),
        (
            "a: 1\n<<<<<<< mine\nb: 2\n=======\nc: 3\n>>>>>>> theirs\n",
            "a merge that is not resolved",
            2,
        ),
        ("a: [1", "not YAML", None),
        ("a: !!python/object/apply:os.system [ls]", "the tag .* is not read", 1),
        ("a: !!binary aGk=", "the tag .* is not read", 1),
        ("x: &x {a: 1}\ny:\n  <<: *x", "merge keys", 3),
        ("a: &a [*a]", "no whole value &a", 1),
        ("a: 1\n---\nb: 2", "a second document", 2),
        ("[1]: 2", "a key that is no text", 1),
        ("a:\n  " + "[" * 300 + "]" * 300, "more than 250 deep", 2),
        ("[" * 1_000_000, "more than 250 deep", 1),
        ("a: " + "9" * 5000, "4,000 digits", 1),
        ("a: \x00", "not YAML", None),
        ("a: b: c", "not YAML", 1),
    ],
)
def test_yaml_that_is_wrong_is_refused_with_its_line(
    text: str, said: str, line: int | None
) -> None:
    with pytest.raises(FormatInvalid, match=said) as raised:
        read_yaml(text.encode())
    if line is not None:
        assert raised.value.details["line"] == line


@pytest.mark.rule("10.6")
def test_aliases_that_stand_for_billions_are_refused() -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(FormatInvalid, match="more than 5,000,000 values"):
        read_yaml("\n".join(lines).encode())


@pytest.mark.rule("10.4")
@pytest.mark.parametrize(
    ("text", "said", "at"),
    [
        ("import os", "can be imported", (1, 1)),
        ("from spellwork import run", "can be imported", (1, 1)),
        ("from spellwork import Workflow as W", "can be imported", (1, 1)),
        ("from . import Workflow", "can be imported", (1, 1)),
        (HEAD + "print(1)", "print cannot be called", (3, 1)),
        (HEAD + "é = 1; wf.node(eval('1'))", "eval cannot be called", (3, 16)),
        (HEAD + "wf.__class__", "only literals", (3, 1)),
        (HEAD + "wf.library.packs()", "only literals", (3, 1)),
        (HEAD + "wf.run_sync()", "wf.run_sync cannot be called", (3, 1)),
        (HEAD + "wf.node.__globals__['x']", "only literals", (3, 1)),
        (HEAD + "a = wf.node('core.value')\na.sketch.take(1)", "only literals", (4, 1)),
        (HEAD + "a = wf.node('core.value')\na.of(1)", "a.of cannot be called", (4, 1)),
        (HEAD + "wf.node(f'{1}')", "only literals", (3, 9)),
        (HEAD + "wf.node(*['a'])", "only literals", (3, 9)),
        (HEAD + "wf.node(**{'type': 'a'})", "cannot be read here", (3, 11)),
        (HEAD + "wf.node('a', {**{}})", "a key is a text", (3, 17)),
        (HEAD + "wf.node('a', {'x': 1, 'x': 2})", "there twice", (3, 23)),
        (HEAD + "wf.node('a', [i for i in [1]])", "only literals", (3, 14)),
        (HEAD + "wf.node('a', lambda: 1)", "only literals", (3, 14)),
        (HEAD + "wf.node(b'a')", "only literals", (3, 9)),
        (HEAD + "wf.node('a' * 9)", "only literals", (3, 9)),
        (HEAD + "wf.node(nothing)", "no 'nothing' here", (3, 9)),
        (HEAD + "for i in [1]:\n  wf.node('a')", "only calls", (3, 1)),
        (HEAD + "def f(): pass", "only calls", (3, 1)),
        (HEAD + "if True:\n  wf.node('a')", "only calls", (3, 1)),
        (HEAD + "a, b = 1, 2", "only calls", (3, 1)),
        (HEAD + "with open('x') as f: pass", "open cannot be called", (3, 6)),
        (HEAD + "wf.node()", "missing 1 required", (3, 1)),
        (HEAD + "wf.node('a', colour=1)", "there is no 'colour' here", (3, 1)),
        (HEAD + "wf.node('a', id='a')\nwf.node('a', id='a')", "a node 'a' already", (4, 1)),
        (HEAD + "wf.node('a', id='../a')", "is no id", (3, 1)),
        (HEAD + "wf.node('a', settings={'retries': 'x'})", "settings.retries", (3, 1)),
        (HEAD + "Workflow('y')", "a second Workflow", (3, 1)),
        (HEAD + "wf.step('a')['x'] >> 3", "no node 'a'", (3, 1)),
        (HEAD + "wf.wire(1, 2)", "a wire has ends", (3, 1)),
        ("x = 1", "no Workflow is made", (1, 1)),
        ("wf = Workflow()", "Workflow cannot be called", (1, 6)),
        ("x = (", "not Python", (1, 5)),
        ("x = '\\ud800'\x00", "not Python", None),
    ],
)
def test_python_that_is_no_call_of_the_builder_is_refused_where_it_is(
    text: str, said: str, at: tuple[int, int] | None
) -> None:
    with pytest.raises(FormatInvalid, match=said) as raised:
        read_python(text, library)
    if at is not None:
        assert (raised.value.details["line"], raised.value.details["column"]) == at


@pytest.mark.rule("10.4")
@pytest.mark.parametrize(
    "text",
    [
        "-" * 200_000 + "1",
        "(" * 5_000,
        "1+" * 200_000 + "1",
        "x" + "[0]" * 100_000,
        "not " * 99_999 + "1",
    ],
)
def test_python_that_nests_too_deep_is_refused(text: str) -> None:
    with pytest.raises(FormatInvalid):
        read_python(HEAD + "x = " + text)


@pytest.mark.rule("10.4")
def test_python_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1_000_000))
    monkeypatch.setattr(formats.python_reader, "monotonic", lambda: next(now))
    long = ", ".join(["'core.debug'"] * 100)
    with pytest.raises(FormatInvalid, match="line 3, column 1: it takes over 30 s to read"):
        read_python(HEAD + f"wf.pipe('core.value', {long})")


@pytest.mark.rule("10.4")
def test_reading_python_runs_nothing(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    text = HEAD + f"if __name__ == '__main__':\n    open({str(touched)!r}, 'w')\n"
    assert read_python(text) == Spell(name="x")
    assert not touched.exists()


@pytest.mark.rule("10.4")
def test_python_by_hand_may_use_the_builder() -> None:
    spell = read_python(
        HEAD
        + """
from __future__ import annotations
import json
numbers = wf.value([3, 1, 2])
with wf.group("Tidy") as tidy:
    ordered: Step = wf.node("core.sort", gives=list)
numbers >> ordered >> wf.node("core.length", name="count", id="n")
numbers["value"] >> wf.node("core.template", json.loads('{"template": "{x}"}'), position=(-1, 2.5))["x"]
wf.note("hi", group=tidy)
"""
    )
    assert {id: node.type for id, node in spell.nodes.items()} == {
        "value": "core.value",
        "sort": "core.sort",
        "n": "core.length",
        "template": "core.template",
    }
    assert spell.nodes["sort"].group == "group"
    assert [(edge.source, edge.target, edge.input) for edge in spell.edges.values()] == [
        ("value", "sort", "items"),
        ("sort", "n", "value"),
        ("value", "template", "x"),
    ]


@pytest.mark.rule("10.5")
def test_messagepack_holds_plan_and_spell() -> None:
    spell = Spell.model_validate(
        {"nodes": {"a": {"type": "t.number", "inputs": {"value": 10**25}}}}
    )
    body = read_ir(formats.write(spell, "ir", library))
    assert (body["ir"], body["plan"]["steps"][0]["node"]) == (1, "a")
    assert body["spell"]["nodes"]["a"]["inputs"] == {"value": 10**25}


def packed(**changes: Any) -> bytes:
    return msgspec.msgpack.encode({"ir": 1, "plan": {"plan": 1}, "spell": {}} | changes)


@pytest.mark.rule("10.5")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x80",
        b"\x83\xa2ir",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000 + b"\x01",
        b"\x81\x91\x01\x02",
        packed(ir=2),
        packed(plan={"plan": 99}),
        packed(plan=3),
        packed(spell=msgspec.msgpack.Ext(1, b"x")),
        packed(spell=msgspec.msgpack.Ext(1, b"9" * 5000)),
        packed(spell=msgspec.msgpack.Ext(7, b"1")),
        packed(spell=eval("[" * 90 + "]" * 90)) + b"\x00",
        msgspec.msgpack.encode([1, 2]),
    ],
)
def test_messagepack_that_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(FormatInvalid):
        read_ir(data)


@pytest.mark.rule("10.5", "10.6")
@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=200), st.sampled_from(formats.FORMS))
def test_any_bytes_are_a_spell_or_are_refused(data: bytes, form: Any) -> None:
    prefix = b"\x83\xa2ir\x01\xa4plan\x81\xa4plan\x01\xa5spell" if form == "ir" else b""
    for each in (data, prefix + data):
        said = ""
        try:
            assert isinstance(read_bytes(each, "x", form, library=library), Spell)
        except SpellUnreadable as error:
            said = str(error)
        assert len(said) < 2_000
