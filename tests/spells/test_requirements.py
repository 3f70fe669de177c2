"""What a spell requires is a map of packages: read strictly, written in every form, and part of what depends on it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from spellwork import Library, Spell, compile, validate
from spellwork.difference import difference
from spellwork.errors import WorkflowInvalid
from spellwork.formats.folder import from_files, to_files
from spellwork.formats.forms import FORMS, read_form, write
from spellwork.requirements import MAX_REQUIREMENTS, requirement_lines, wrong_requirements
from spellwork.workflow import Workflow

LIBRARY = Library.installed()
SPELL = Spell.model_validate(
    {
        "name": "Packed",
        "nodes": {
            "a": {"type": "core.value", "inputs": {"value": 2}},
            "b": {"type": "code.python", "code": "a * 21"},
        },
        "requirements": {"rich": "", "Typing_Extensions": "[x]>=4,<5; python_version >= '3.8'"},
    }
)

GOOD = {
    "any version": ("rich", "", "rich"),
    "versions": ("pandas", ">=2,<4", "pandas<4,>=2"),
    "spaces": ("pandas", " >= 2 ", "pandas>=2"),
    "extras": ("uvicorn", "[standard]>=0.30", "uvicorn[standard]>=0.30"),
    "a marker": ("tomli", '; python_version < "3.11"', 'tomli; python_version < "3.11"'),
    "another way to write the name": ("Typing_Extensions", "~=4.1", "typing-extensions~=4.1"),
}
WRONG = {
    "an address": "@ https://example.org/x.whl",
    "an option": ">=1 --no-deps",
    "a word": "latest",
    "a path": "/ ../x",
    "a number alone": "2.1",
    "a second requirement": "==1 rich",
    "the end of another name": "s-more>=1",
    "a broken version": ">=two",
}


@pytest.mark.rule("18.20")
@pytest.mark.parametrize("case", GOOD)
def test_a_requirement_is_a_name_and_what_may_follow_it(case: str) -> None:
    name, specifier, line = GOOD[case]
    assert wrong_requirements({name: specifier}) == {}
    assert requirement_lines({name: specifier}) == (line,)


@pytest.mark.rule("18.20")
@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_version_never_reaches_an_installer(case: str) -> None:
    assert list(wrong_requirements({"thing": WRONG[case]})) == ["thing"]
    assert requirement_lines({"thing": WRONG[case], "rich": ""}) == ("rich",)


@pytest.mark.rule("18.20")
@pytest.mark.parametrize(
    "requirements",
    [
        {"no name": ""},
        {"-r": ""},
        {"": ""},
        {"x" * 101: ""},
        {"rich": ">=1\n--no-deps"},
        {"rich": ">" * 301},
        {"rich": None},
        {f"p{number}": "" for number in range(MAX_REQUIREMENTS + 1)},
    ],
    ids=["space", "option", "empty", "long", "line", "long version", "null", "too many"],
)
def test_a_spell_is_refused_that_could_not_hold_them(requirements: dict) -> None:
    with pytest.raises(ValidationError):
        Spell(requirements=requirements)


@pytest.mark.rule("18.21")
def test_what_is_wrong_is_told_with_its_name_and_keeps_nothing_else_from_running() -> None:
    spell = SPELL.model_copy(update={"requirements": {"rich": "newest", "Rich": "", "ok": ">=1"}})
    problems = [each for each in validate(spell, LIBRARY) if each.code == "invalid_requirement"]
    assert [each.details["requirement"] for each in problems] == ["rich"]
    assert len(compile(spell, LIBRARY)) == 2


@pytest.mark.rule("10.1", "18.20")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_back_the_same_requirements(form: str) -> None:
    read = read_form(write(SPELL, form), form, LIBRARY)  # type: ignore[arg-type]
    assert (read if isinstance(read, Spell) else Spell.model_validate(read)) == SPELL


@pytest.mark.rule("10.1", "18.20")
def test_a_folder_reads_back_the_same_requirements() -> None:
    files = to_files(SPELL)
    assert Spell.model_validate(from_files(files.__getitem__)) == SPELL


@pytest.mark.rule("18.21")
def test_calls_in_workers_depend_on_the_requirements_and_nothing_else_does() -> None:
    bare = compile(SPELL.model_copy(update={"requirements": {}}), LIBRARY)
    packed = compile(SPELL, LIBRARY)
    assert bare["a"].local == packed["a"].local
    assert bare["b"].local != packed["b"].local
    respelled = {"rich": " ", "typing-extensions": "[x] <5, >=4 ; python_version >= '3.8'"}
    same = compile(SPELL.model_copy(update={"requirements": respelled}), LIBRARY)
    assert same["b"].local == packed["b"].local


@pytest.mark.rule("18.20")
def test_a_difference_names_the_package_and_its_versions() -> None:
    after = SPELL.model_copy(update={"requirements": {"rich": ">=13", "pandas": ""}})
    changes = {each.id: each for each in difference(SPELL, after).changes}
    assert {id: each.what for id, each in changes.items()} == {
        "Typing_Extensions": "removed",
        "pandas": "added",
        "rich": "changed",
    }
    assert changes["rich"].fields[0].after == ">=13"


@pytest.mark.rule("18.20")
def test_the_builder_requires_packages() -> None:
    wf = Workflow()
    wf.require("rich", ">=13")
    assert wf.to_spell().requirements == {"rich": ">=13"}
    with pytest.raises(WorkflowInvalid, match="already"):
        wf.require("rich")
    with pytest.raises(WorkflowInvalid, match="requirements"):
        wf.require("--no-deps")
    wf.reset()
    assert wf.to_spell().requirements == {}
