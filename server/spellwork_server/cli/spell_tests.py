"""The command that runs the tests of spells in files, with no server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .doing import attempt, read_settings
from .options import SPELL

if TYPE_CHECKING:
    from spellwork.workers.environments import Environment


@click.command("test")
@click.argument("files", type=SPELL, nargs=-1, required=True, metavar="FILE|DIR...")
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="NAME",
    help="Only this one, by id or name; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the results to this file as JUnit's XML, too.",
)
@click.option(
    "--environments",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the environments of spells that require packages [default: in your cache].",
)
def test_files(
    files: tuple[Path, ...],
    tests: tuple[str, ...],
    as_json: bool,
    junit: Path | None,
    environments: Path | None,
) -> None:
    """Run the tests of spells, in whatever form these are.

    What a test has recorded is not called. What has side effects or costs
    money is called only where the test says "live".

    Exits with 0 if all passed, with 1 if some did not, with 2 if a spell cannot
    be read, or there is no test.
    """
    from spellwork_server.commands import spell_tests

    def say(line: str) -> None:
        click.echo(line, err=True)

    async def environment(requirements: Mapping[str, str]) -> Environment:
        from spellwork_server.commands.environments import environment_of

        return await environment_of(requirements, read_settings(), environments, say, anew=False)

    done = [
        attempt(lambda file=file: spell_tests.run_file(file, tests, environment)) for file in files
    ]
    if junit is not None:
        attempt(lambda: spell_tests.write_junit(junit, done))
    if as_json:
        click.echo(json.dumps([each.to_json() for each in done], ensure_ascii=False, indent=2))
    else:
        for line in spell_tests.told(done):
            click.echo(line)
    for name in spell_tests.unknown_among(tests, done):
        click.echo(f"Error: there is no test {name!r}", err=True)
        raise SystemExit(2)
    results = [test for each in done for test in each.results]
    if not results:
        raise SystemExit(2)
    if any(test.outcome != "passed" for test in results):
        raise SystemExit(1)
