"""Sample — ünïcode \"quoted\"

A spell, as a Workflow. Run it with Python; it needs the package spellwork.
"""

from spellwork import Workflow

wf = Workflow("Sample — ünïcode \"quoted\"")

wf.group(
    "Tidy",
    id="g",
    color="#aabbcc",
    position=[-20, -20.5],
    size=[640.0, 400.0],
    collapsed=True,
)

Value = wf.node(
    "core.value",
    {"value": {"a": "on", "b": [1, 2.0, None, True]}},
    id="Value",
    position=[0, 0],
)
text = wf.node(
    "core.text",
    {
        "text": """\
one
two
three
four
five
""",
    },
    id="text",
)
twice = wf.node(
    "code.python",
    id="twice",
    code="""\
# twice
def twice(x):
    return x * 2
""",
    group="g",
    position=[240, 10.25],
)
value = wf.node(
    "core.template",
    {
        "template": """\
Dear {x},

  this has\u0085 odd ends.\u000d
""",
    },
    id="value",
    name="Letter",
    settings={"pins": {"text": "pinned"}, "retries": 1, "timeout": 2.5},
)

wf.wire(Value["value"], twice["x"], id="e1")
wf.wire(Value["value"], value["x"], id="e2", transform=[{"op": "pick", "path": "b[0]"}])

wf.note(
    """\
# A note

with

lines""",
    id="n",
    position=[1e-07, 10000000000000000],
)

if __name__ == "__main__":
    wf.main()
