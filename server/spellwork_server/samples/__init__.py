"""Spells that ship with the server: what an empty start offers.

Each is a JSON file beside this one. The data set of ``penguins`` ships with the
core pack, whose ``data/README.md`` names its source and licence (CC0).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, TypedDict


class Sample(TypedDict):
    """A sample, with what a person reads before opening it. ``spell`` is a spell as JSON."""

    id: str
    title: str
    sentence: str
    spell: dict[str, Any]


_SAMPLES = (
    (
        "penguins",
        "Penguins",
        "A real data set, cleaned in Python, summarised, plotted, and put to a language model.",
    ),
    (
        "orders",
        "Orders",
        "A stream, a group that is run for each row, and a failure that is caught by a wire.",
    ),
    (
        "people",
        "Ask people",
        "A form and an approval: the run waits for people, for days if need be.",
    ),
    ("live", "Words as you type", "Live mode: type, and a chart of your words follows."),
    ("hello", "Hello", "Four nodes to change, run and wire: the place to begin."),
)


def samples() -> list[Sample]:
    """Return the samples, the fullest first; a fresh copy at each call."""
    return [
        {"id": name, "title": title, "sentence": sentence, "spell": _read(name)}
        for name, title, sentence in _SAMPLES
    ]


def _read(name: str) -> dict[str, Any]:
    text = (files(__package__) / f"{name}.json").read_text(encoding="utf-8")
    spell: dict[str, Any] = json.loads(text)
    return spell
