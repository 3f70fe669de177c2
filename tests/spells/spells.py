"""Any spell at all, with texts that forms get wrong, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from spellwork import Spell

HOSTILE = (
    "",
    " ",
    "\n",
    "\n\n",
    '\n"""',
    '\n\\"',
    "a\n",
    "a\n\n",
    " a\nb",
    "a \nb\n \nc",
    "a\r\nb\rc",
    "\ta\n\tb",
    "a\x85b\nc",
    "a\u2028b\u2029c",
    "\ufeffa",
    "a\u202eb",
    "null",
    "yes",
    "on",
    "n",
    "~",
    "1",
    "0x1F",
    "1_000",
    "1e3",
    "1:30",
    ".inf",
    "2020-01-01",
    "<<",
    "=",
    "- a",
    "a: b",
    "a #b",
    "? a",
    "|",
    ">",
    "!tag",
    "&a",
    "*a",
    "%a",
    "@a",
    "`a",
    "---",
    "...\n",
    "'",
    '"',
    '"""',
    'a"""\n"',
    '\\"""\n\\',
    "\\",
    "\\n",
    "\\u0041",
    "{x}",
    "<<<<<<< a\nb\n=======\n",
    "\x00\x07\x1b\x7f",
    "𝒳🏴\U000e0067\u200d",
    "x" * 400,
    "key " * 400,
    "one\ntwo\nthree\nfour\n",
)

texts = st.sampled_from(HOSTILE) | st.text(max_size=20)
code = texts | st.lists(texts, max_size=5).map("\n".join)
ids = st.sampled_from(
    ["a", "A", "b-c", "b_c", "1", "con", "NUL", "class", "__name__", "wf"]
) | st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
numbers = (
    st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
ports = texts.filter(lambda text: 0 < len(text) <= 128)
places = st.tuples(st.floats(-1e6, 1e6), st.integers(-1000, 1000)).map(list)
settings = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["mute", "bypass"]),
        "pins": st.dictionaries(ports, values, max_size=2),
        "debounce": st.floats(0, 60),
        "quiet": st.lists(ports, max_size=2),
        "limits": st.fixed_dictionaries(
            {"rate": st.integers(1, 9)}, optional={"per": st.just(2.5)}
        ),
        "body": ids.map(lambda id: {"group": id}),
        "queue": st.sampled_from(["gpu", "a.b-c_9"]),
        "timeout": st.just(1.5),
        "retries": st.integers(0, 20),
        "cache": st.sampled_from(["none", "private"]),
    },
)
nodes = st.fixed_dictionaries(
    {"type": st.sampled_from(["core.value", "code.python", "code.typescript", "x y"])},
    optional={
        "version": st.integers(1, 9),
        "name": texts.filter(lambda text: len(text) <= 200),
        "inputs": st.dictionaries(ports, values, max_size=3),
        "code": code,
        "settings": settings,
        "position": places,
        "size": places,
        "group": ids,
    },
)
transforms = st.sampled_from(
    [
        {"op": "pick", "path": "a[0]"},
        {"op": "index", "index": -1},
        {"op": "default", "value": None},
        {"op": "default", "value": {"b": 1.0}},
        {"op": "cast", "to": "list"},
        {"op": "date"},
    ]
)
edges = st.fixed_dictionaries(
    {"source": ids, "output": ports, "target": ids, "input": ports},
    optional={"transform": st.lists(transforms, max_size=3)},
)
groups = st.fixed_dictionaries(
    {},
    optional={
        "name": texts.filter(lambda text: len(text) <= 200),
        "position": places,
        "size": places,
        "color": st.just("#abc"),
        "group": ids,
        "collapsed": st.booleans(),
    },
)
notes = st.fixed_dictionaries(
    {}, optional={"text": code, "position": places, "color": st.just("on"), "group": ids}
)
assertions = (
    st.fixed_dictionaries(
        {"op": st.just("equals"), "value": values}, optional={"tolerance": st.floats(0, 1)}
    )
    | st.builds(lambda value: {"op": "contains", "value": value, "path": "a[0]"}, values)
    | st.sampled_from(
        [
            {"op": "matches", "value": {"type": "array", "minItems": 1}},
            {"op": "type", "value": "null"},
            {"op": "length", "value": 3},
        ]
    )
)
spell_tests = st.fixed_dictionaries(
    {},
    optional={
        "name": texts.filter(lambda text: len(text) <= 200),
        "inputs": st.dictionaries(ports, values, max_size=2),
        "record": st.dictionaries(
            ids,
            st.fixed_dictionaries({"outputs": st.dictionaries(ports, values, max_size=2)})
            | st.just({"failure": {"code": "no", "message": "no\n"}}),
            max_size=2,
        ),
        "expect": st.dictionaries(
            ids,
            st.fixed_dictionaries({"outputs": st.dictionaries(ports, assertions, max_size=2)})
            | st.sampled_from([{"status": "skipped"}, {"status": "failed", "code": "no"}, {}]),
            max_size=2,
        ),
        "timeout": st.just(1.5),
        "live": st.booleans(),
    },
)
spells = st.fixed_dictionaries(
    {},
    optional={
        "schema": st.just(1),
        "name": texts.filter(lambda text: len(text) <= 200),
        "nodes": st.dictionaries(ids, nodes, max_size=5),
        "edges": st.dictionaries(ids, edges, max_size=4),
        "groups": st.dictionaries(ids, groups, max_size=3),
        "notes": st.dictionaries(ids, notes, max_size=3),
        "tests": st.dictionaries(ids, spell_tests, max_size=2),
    },
).map(Spell.model_validate)


def exact(spell: Spell) -> Any:
    """Return what makes a spell that spell: to the type of a number, and whether it was named."""
    return _typed(spell.to_json()), "name" in spell.model_fields_set


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return f"{type(value).__name__} {value!r}"
