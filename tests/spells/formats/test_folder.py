"""A spell's folder: it merges in Git, survives file systems and line ends, and touches nobody else's files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import spellwork
from spellwork import FormatInvalid, Node, Note, Spell
from spellwork.formats import changes_of, write_folder
from spellwork.formats.folder import to_files

SPELL = Spell.model_validate(
    {
        "name": "Birds",
        "nodes": {
            "a": {"type": "core.value", "inputs": {"value": 1}, "position": [0, 0]},
            "b": {"type": "code.python", "code": "x * 2\n", "position": [1, 0]},
            "c": {
                "type": "core.template",
                "inputs": {"template": "word " * 100},
                "position": [2, 0],
                "size": [9, 9],
            },
            "d": {
                "type": "core.value",
                "inputs": {"value": 1},
                "settings": {"retries": 1},
                "position": [3, 0],
            },
        },
        "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
        "groups": {"g": {"name": "All", "position": [0, 0], "color": "#abc", "collapsed": True}},
        "notes": {"n": {"text": "one\ntwo\nthree\nfour", "position": [0, 200]}},
    }
)

Edit = Callable[[dict[str, Any]], object]


def edited(spell: Spell, *edits: Edit) -> Spell:
    body = spell.to_json()
    for edit in edits:
        edit(body)
    return Spell.model_validate(body)


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    hermetic = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", *options, *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | hermetic,
    )


def merged(folder: Path, mine: Edit, theirs: Edit) -> subprocess.CompletedProcess[str]:
    """Have two people edit the same spell, and merge what they did."""
    git(folder, "init", "-q", "-b", "main")
    for branch, spell in (
        ("main", SPELL),
        ("theirs", edited(SPELL, theirs)),
        ("mine", edited(SPELL, mine)),
    ):
        if branch != "main":
            git(folder, "checkout", "-q", "main")
            git(folder, "checkout", "-q", "-b", branch)
        write_folder(folder, spell)
        git(folder, "add", "-A")
        assert git(folder, "commit", "-q", "-m", branch).returncode == 0
    return git(folder, "merge", "-q", "-m", "merged", "theirs")


def put(*path: str, value: Any) -> Edit:
    def edit(body: Any) -> None:
        for key in path[:-1]:
            body = body.setdefault(key, {})
        body[path[-1]] = value

    return edit


def remove(kind: str, id: str) -> Edit:
    return lambda body: body[kind].pop(id)


EDITS: dict[str, tuple[Edit, Edit]] = {
    "values of neighbours": (
        put("nodes", "a", "inputs", "value", value=2),
        put("nodes", "b", "inputs", "y", value=3),
    ),
    "moves of neighbours": (
        put("nodes", "a", "position", value=[50, 60]),
        put("nodes", "b", "position", value=[70, 80]),
    ),
    "code and settings": (
        put("nodes", "b", "code", value="x * 3\n"),
        put("nodes", "c", "settings", value={"timeout": 5}),
    ),
    "code and a wire to the same node": (
        put("nodes", "b", "code", value="x * 3\n"),
        put("edges", "f", value={"source": "d", "output": "value", "target": "b", "input": "y"}),
    ),
    "wires to neighbours": (
        put("edges", "f", value={"source": "d", "output": "value", "target": "b", "input": "y"}),
        put("edges", "f2", value={"source": "d", "output": "value", "target": "c", "input": "x"}),
    ),
    "a move and a removal": (put("nodes", "c", "position", value=[9, 9]), remove("nodes", "d")),
    "a new node and a change": (
        put("nodes", "aa", value={"type": "core.value", "position": [5, 5]}),
        put("nodes", "d", "inputs", "value", value=7),
    ),
    "a long text and a note": (
        put("nodes", "c", "inputs", "template", value="other " * 100),
        put("notes", "n", "text", value="one\n2\nthree\nfour"),
    ),
}


@pytest.mark.rule("10.7")
@pytest.mark.parametrize(("mine", "theirs"), EDITS.values(), ids=list(EDITS))
def test_what_two_people_did_to_different_nodes_merges_in_git(
    tmp_path: Path, mine: Edit, theirs: Edit
) -> None:
    result = merged(tmp_path, mine, theirs)
    assert result.returncode == 0, result.stdout + result.stderr
    assert spellwork.read_spell(tmp_path) == edited(SPELL, mine, theirs)
    assert changes_of(tmp_path, spellwork.read_spell(tmp_path)) == []


@pytest.mark.rule("10.7")
def test_a_layout_of_what_is_gone_is_ignored(tmp_path: Path) -> None:
    write_folder(tmp_path, SPELL)
    layout = (tmp_path / "layout.yaml").read_text()
    write_folder(tmp_path, edited(SPELL, remove("nodes", "d")))
    (tmp_path / "layout.yaml").write_text(layout)
    assert spellwork.read_spell(tmp_path) == edited(SPELL, remove("nodes", "d"))


@pytest.mark.rule("10.6")
def test_a_conflict_is_told_with_its_line(tmp_path: Path) -> None:
    both = (put("nodes", "a", "inputs", "value", value=each) for each in (2, 3))
    assert merged(tmp_path, *both).returncode == 1
    with pytest.raises(
        FormatInvalid, match=r"spell.yaml: line \d+, column 1: the marks of a merge"
    ):
        spellwork.read_spell(tmp_path)


@pytest.mark.rule("10.7")
def test_the_files_are_apart_by_what_they_say() -> None:
    files = to_files(SPELL)
    assert sorted(files) == [
        "code/b.py",
        "layout.yaml",
        "notes/n.md",
        "spell.yaml",
        "texts/c.template.txt",
    ]
    assert b"position" not in files["spell.yaml"]
    assert files["code/b.py"] == b"x * 2\n"
    assert files["layout.yaml"].startswith(b"nodes:\n  a:\n    position: [0, 0]\n  b:\n")


@pytest.mark.rule("10.8")
def test_names_that_a_file_system_confuses_are_apart() -> None:
    ids = ["ab", "aB", "Ab", "AB", "con", "Nul", "COM1", "ok"]
    spell = Spell(nodes={id: Node(type="code.python", code=id) for id in ids})
    names = sorted(path for path in to_files(spell) if path.startswith("code/"))
    assert len({name.lower() for name in names}) == len(ids)
    assert {"code/ok.py", "code/ab.py", "code/con~.py", "code/COM1~.py"} <= set(names)
    ports = dict.fromkeys(("A", "a", "a/b", "../..", "ä", "x" * 128), "x" * 500)
    texts = to_files(Spell(nodes={"n": Node(type="t", inputs=ports)}))
    assert len({name.lower() for name in texts}) == len(ports) + 2


@pytest.mark.rule("10.8")
def test_line_ends_that_git_changed_read_back_as_they_were(tmp_path: Path) -> None:
    kept = {
        "code": "a\r\nb\r\n",
        "inputs": {"odd": "a\rb\n" * 100, "text": "one\ntwo\nthree\nfour\n"},
    }
    spell = edited(SPELL, put("nodes", "w", value={"type": "code.python", **kept}))
    write_folder(tmp_path, spell)
    for file in tmp_path.rglob("*.*"):
        if file.is_file():
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert spellwork.read_spell(tmp_path) == spell
    assert changes_of(tmp_path, spell) == []


@pytest.mark.rule("10.9")
def test_only_files_of_the_spell_are_removed(tmp_path: Path) -> None:
    write_folder(tmp_path, SPELL)
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "code" / "test_b.py").write_text("mine")
    gone = edited(
        SPELL,
        remove("nodes", "b"),
        remove("nodes", "c"),
        remove("notes", "n"),
        remove("edges", "e"),
    )
    changed = write_folder(tmp_path, gone)
    assert sorted(changed) == [
        "code/b.py",
        "layout.yaml",
        "notes/n.md",
        "spell.yaml",
        "texts/c.template.txt",
    ]
    left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert left == ["README.md", "code/test_b.py", "layout.yaml", "spell.yaml"]
    assert not (tmp_path / "texts").exists()
    assert write_folder(tmp_path, gone) == []


@pytest.mark.rule("10.9")
def test_a_file_in_the_way_is_refused_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "b.py").write_text("mine")
    with pytest.raises(FormatInvalid, match=r"b\.py is in the way"):
        write_folder(tmp_path, SPELL)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["b.py"]
    (tmp_path / "spell.yaml").write_text("kind: Deployment\nnodes: 3\n")
    with pytest.raises(FormatInvalid, match="remove it to write here"):
        write_folder(tmp_path, SPELL)


@pytest.mark.rule("10.9")
def test_a_disk_that_refuses_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path, SPELL)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    calls = iter(range(9))

    def full(_handle: int) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    other = edited(
        SPELL, put("nodes", "b", "code", value="y\n"), put("nodes", "a", "position", value=[4, 4])
    )
    with pytest.raises(OSError, match="No space"):
        write_folder(tmp_path, other)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.rule("10.9")
def test_symbolic_links_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "b.py").write_text("secret")
    folder = tmp_path / "spell"
    write_folder(folder, SPELL)
    (folder / "code" / "b.py").unlink()
    (folder / "code" / "b.py").symlink_to(secret / "b.py")
    for work in (lambda: spellwork.read_spell(folder), lambda: write_folder(folder, SPELL)):
        with pytest.raises(FormatInvalid, match="symbolic link"):
            work()
    (folder / "code" / "b.py").unlink()
    (folder / "code").rmdir()
    (folder / "code").symlink_to(secret)
    for work in (lambda: spellwork.read_spell(folder), lambda: write_folder(folder, SPELL)):
        with pytest.raises(FormatInvalid, match="symbolic link"):
            work()
    assert (secret / "b.py").read_text() == "secret"


@pytest.mark.rule("10.9")
@pytest.mark.parametrize(
    "path",
    [
        "../x.py",
        "/etc/passwd",
        "code/../../x",
        "code\\x",
        "code/.git",
        "other/x",
        "code/",
        "code/a/b",
        "",
        3,
        "code/x\n",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, path: object) -> None:
    write_folder(tmp_path, Spell())
    body = {"nodes": {"a": {"type": "code.python", "code_file": path}}}
    (tmp_path / "spell.yaml").write_text(spellwork.formats.yaml_writer.write_yaml(body).decode())
    with pytest.raises(FormatInvalid, match="is no file of the folder"):
        spellwork.read_spell(tmp_path)
    with pytest.raises(FormatInvalid, match="is no file of the folder"):
        write_folder(tmp_path, Spell())


@pytest.mark.parametrize(
    ("spell", "layout", "said"),
    [
        ("nodes: [a]", "", "nodes is no object"),
        ("nodes: {a: 1}", "", "nodes.a is no object"),
        ("- a", "", "spell.yaml: it is no object"),
        ("nodes: {a: {type: t, code: x, code_file: code/a.py}}", "", "give code or code_file"),
        ("nodes: {a: {type: t, code_file: code/a.py}}", "", "a.py is not there"),
        (
            "nodes: {a: {type: t, inputs: {x: 1}, input_files: {x: texts/a.txt}}}",
            "",
            "'x' is there twice",
        ),
        (
            "nodes: {a: {type: t, wires: {e: {source: a}}}}\nedges: {e: {source: a}}",
            "",
            "the wire 'e' is there twice",
        ),
        ("nodes: {a: {type: t}}", "nodes: {a: {type: u}}", "'type' is no layout"),
        ("nodes: {a: {type: t}}", "edges: 3", "edges is no object"),
        ("nodes: {a: {type: t}}", "things: {}", "no 'things' in a layout"),
        ("nodes: {a: {kind: t}}", "", "nodes.a.type"),
        ("nodes: {a: {type: t}, a: {type: t}}", "", "the key 'a' is there twice"),
    ],
)
def test_what_is_wrong_in_a_folder_is_named(
    tmp_path: Path, spell: str, layout: str, said: str
) -> None:
    (tmp_path / "spell.yaml").write_text(spell)
    (tmp_path / "layout.yaml").write_text(layout)
    with pytest.raises(spellwork.SpellUnreadable, match=said.replace(".", r"\.")):
        spellwork.read_spell(tmp_path)


def test_a_folder_without_a_spell_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatInvalid, match=r"spell\.yaml is not there"):
        spellwork.read_spell(tmp_path)


def test_a_note_of_one_line_stays_in_the_spell() -> None:
    assert sorted(to_files(Spell(notes={"n": Note(text="hi")}))) == ["layout.yaml", "spell.yaml"]
