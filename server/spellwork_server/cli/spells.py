"""Commands about spells in files, with no server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .doing import attempt, read_settings, write_out
from .options import FORM, SPELL

if TYPE_CHECKING:
    from spellwork.workers.environments import Environment


@click.command()
@click.argument("file", type=SPELL)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=JSON",
    help="NODE.PORT=JSON or NODE=JSON; repeatable.",
)
@click.option(
    "--scope",
    multiple=True,
    metavar="NODE",
    help="Run this node, by id, and what it needs; repeatable.",
)
@click.option(
    "--reach",
    type=click.Choice(["needed", "only", "onward"]),
    default="needed",
    show_default=True,
    help="What besides the scope runs: what it needs, nothing, or all that depends on it.",
)
@click.option(
    "--last",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What an earlier run printed: it stands for nodes that are not run.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Most seconds.")
@click.option(
    "--environments",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the environments of spells that require packages [default: in your cache].",
)
@click.option(
    "--anew", is_flag=True, help="Look which versions of required packages there are now."
)
def run(
    file: Path,
    inputs: tuple[str, ...],
    scope: tuple[str, ...],
    reach: Any,
    last: Path | None,
    timeout: float | None,
    environments: Path | None,
    anew: bool,
) -> None:
    """Run a spell with no server; print the outputs as JSON.

    FILE is a spell in any form: JSON, YAML, a manifest, a plan in MessagePack,
    Python source (which is read, and not executed), or a folder.

    Packages that the spell requires and this Python does not have are installed
    into an environment of their own, whose versions stay as they were locked.

    Exits with 1 if a node failed, with 2 if the spell or an input is wrong, or
    what it requires cannot be had.
    """
    from spellwork_server.commands.spells import run_spell

    def say(line: str) -> None:
        click.echo(line, err=True)

    async def environment(requirements: Mapping[str, str]) -> Environment:
        from spellwork_server.commands.environments import environment_of

        return await environment_of(requirements, read_settings(), environments, say, anew=anew)

    outputs, complaints = attempt(
        lambda: run_spell(
            file, dict(map(_input, inputs)), scope or None, reach, last, timeout, environment
        )
    )
    click.echo(json.dumps(outputs, ensure_ascii=False, indent=2))
    for complaint in complaints:
        click.echo(complaint, err=True)
    if complaints:
        raise SystemExit(1)


@click.command("compile")
@click.argument("file", type=SPELL)
@click.option(
    "--to",
    "form",
    type=FORM,
    default="manifest",
    show_default=True,
    help="manifest: the plan as YAML; ir: as MessagePack; the others are the spell.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="File or folder to write [default: standard output].",
)
def compile_file(file: Path, form: str, output: Path | None) -> None:
    """Compile a spell and write it in another form.

    FILE is a spell in any form. Each form holds the whole spell, and reads
    back as the same one.
    """
    from spellwork_server.commands.plans import compile_spell

    write_out(attempt(lambda: compile_spell(file, form, output)))


@click.command("diff")
@click.argument("before", type=SPELL)
@click.argument("after", type=SPELL)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff_files(before: Path, after: Path, as_json: bool) -> None:
    """Say what differs between two spells, in whatever form they are.

    Exits with 0 if nothing does, with 1 if something does, with 2 if one
    cannot be read.
    """
    from spellwork_server.commands.differences import compare, told

    found = attempt(lambda: compare(before, after))
    if as_json:
        click.echo(json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        for line in told(found):
            click.echo(line)
    if found:
        raise SystemExit(1)


@click.command("format")
@click.argument("files", type=SPELL, nargs=-1, required=True, metavar="FILE|DIR...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would.")
def format_files(files: tuple[Path, ...], check: bool) -> None:
    """Write spells anew in the form that they are in: sorted, so that they merge well.

    Prints the files that changed. Comments are not kept. A manifest or plan is
    compiled anew.
    """
    from spellwork_server.commands.formatting import format_file

    changed = [
        each for file in files for each in attempt(lambda file=file: format_file(file, check=check))
    ]
    for each in changed:
        click.echo(each)
    if check and changed:
        raise SystemExit(1)


@click.command("upgrade")
@click.argument("files", type=SPELL, nargs=-1, required=True, metavar="FILE|DIR...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would.")
def upgrade_files(files: tuple[Path, ...], check: bool) -> None:
    """Bring old nodes of spells to the newest versions of their types, and say what became of each.

    Exits with 1 if a node stays old, for its type has no migration from there.
    """
    from spellwork_server.commands.upgrading import upgrade_file

    left = False
    for file in files:
        for each in attempt(lambda file=file: upgrade_file(file, check=check)):
            node = f"{file}: node {each.node!r} ({each.type})"
            if each.reason is None:
                click.echo(f"{node}: version {each.version} to {each.newest}")
            else:
                click.echo(f"{node} stays at version {each.version}: {each.reason}", err=True)
            left = left or check or each.reason is not None
    if left:
        raise SystemExit(1)


def _input(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=JSON", param_hint="--input")
    try:
        return name, json.loads(value)
    except ValueError as error:
        message = (
            f"the value of {name} is not JSON ({error}); a text needs quotes: {name}='\"text\"'"
        )
        raise click.BadParameter(message, param_hint="--input") from error
