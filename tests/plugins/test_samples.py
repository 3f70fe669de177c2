"""The samples that ship are valid, and run here, without a model too."""

from __future__ import annotations

import pytest

import spellwork
from spellwork import Library, RunResult, Spell
from spellwork_server.samples import samples

LIBRARY = Library.installed()
NO_SERVER = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPELLWORK_OLLAMA_URL", NO_SERVER)


def run(name: str) -> RunResult:
    spell = next(sample["spell"] for sample in samples() if sample["id"] == name)
    return spellwork.run(spell, library=LIBRARY)


def test_an_empty_start_offers_samples_the_fullest_first() -> None:
    assert [sample["id"] for sample in samples()] == [
        "penguins",
        "orders",
        "people",
        "live",
        "hello",
    ]
    assert all(sample["title"] and sample["sentence"].endswith(".") for sample in samples())


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample["id"])
def test_a_sample_is_valid_and_is_laid_out_without_overlap(sample: dict) -> None:
    spell = Spell.model_validate(sample["spell"])
    assert spellwork.validate(spell, LIBRARY) == []
    assert spell.notes
    places = [node.position for node in spell.nodes.values()]
    for x, y in places:
        near = [(a, b) for a, b in places if abs(a - x) < 330 and abs(b - y) < 280]
        assert near == [(x, y)]


def test_the_penguins_are_cleaned_summarised_plotted_and_put_into_a_prompt() -> None:
    result = run("penguins")
    assert len(result.outputs["data"]["table"]) == 344
    assert result.outputs["data"]["licence"] == "CC0 1.0"
    assert len(result.outputs["clean"]["rows"]) == 333
    assert result.outputs["clean"]["dropped"] == 11
    summary = {row["species"]: row for row in result.outputs["summary"]["table"]}
    assert summary["Gentoo"]["count"] == 119
    assert summary["Gentoo"]["mean_body_mass_kg"] == pytest.approx(5.092, abs=0.001)
    plot = result.outputs["plot"]["plot"]
    assert "vega-lite/v6" in plot["$schema"]
    assert len(plot["data"]["values"]) == 333
    assert "Chinstrap" in result.outputs["prompt"]["text"]


def test_without_a_model_only_the_model_node_fails_and_names_the_url() -> None:
    result = run("penguins")
    assert list(result.errors) == ["answer"]
    failure = result.errors["answer"]
    assert failure.code == "model_unreachable"
    assert NO_SERVER in failure.message


def test_hello_greets() -> None:
    result = run("hello")
    assert result.errors == {}
    assert result.outputs["shown"]["markdown"] == "# Hello world!"
    assert result.outputs["letters"]["result"] == 5


def test_words_are_counted_and_drawn() -> None:
    result = run("live")
    assert result.errors == {}
    assert result.outputs["count"]["result"][0] == {"word": "the", "times": 4}
    assert result.outputs["chart"]["plot"]["encoding"]["x"]["field"] == "word"


def test_orders_stream_in_are_priced_by_a_group_and_a_failure_is_caught_by_a_wire() -> None:
    result = run("orders")
    assert list(result.errors) == ["rate_read"]
    assert result.outputs["rate"]["value"] == 1
    assert "not JSON" in result.outputs["trouble"]["markdown"]
    assert result.outputs["priced"]["items"][0] == {"item": "ink", "total": 12.6}
    assert result.outputs["total"]["value"] == pytest.approx(76.35)


def test_orders_go_on_at_the_rate_once_it_is_mended() -> None:
    spell = next(sample["spell"] for sample in samples() if sample["id"] == "orders")
    spell["nodes"]["rate_text"]["inputs"]["text"] = '{"rate": 2}'
    result = spellwork.run(spell, library=LIBRARY)
    assert result.errors == {}
    assert result.outputs["total"]["value"] == pytest.approx(2 * 76.35)
    assert result.outputs["trouble"]["markdown"] == "Nothing: the rate could be read."
