"""The command ``spellwork``. Each sub-command imports what it needs when it is called.

``spellwork run`` must not pay for loading a server, nor ``spellwork token``
for loading every pack.
"""

# ruff: noqa: PLC0415 - the imports inside commands are the point of this module

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Any

import click

from spellwork_server.commands import FORMS

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of the database and the secret key [default: data].",
)


URL = click.option(
    "--url",
    envvar="SPELLWORK_URL",
    default="http://127.0.0.1:8765",
    show_default=True,
    help="Address of the running server; or the variable SPELLWORK_URL.",
)

SPELL = click.Path(exists=True, path_type=Path)
"""A file in any form, or a spell's folder."""


FORM = click.Choice([*FORMS, "folder"])

TOKEN = click.option(
    "--token",
    envvar="SPELLWORK_TOKEN",
    help="API key (see: spellwork token); better by the variable SPELLWORK_TOKEN, which others do not see.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spellwork")
def main() -> None:
    """Spellwork: draw AI and data graphs together, and run them on your own server."""


@main.command()
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one [default: 8765].")
@DATA
def serve(host: str | None, port: int | None, data: Path | None) -> None:
    """Serve until interrupted. Further settings are SPELLWORK_* variables."""
    gc.disable()  # until all is loaded: nothing made at start is garbage
    from spellwork_server.serve import serve as run_server

    try:
        run_server(_settings(host=host, port=port, data=data))
    except OSError as error:
        raise click.ClickException(f"Cannot listen: {error}") from error


@main.group()
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("email")
@click.option("--password", required=True, help="At least 8 characters are wise.")
@click.option("--role", type=click.Choice(["admin", "member"]), default="member", show_default=True)
@click.option("--name", default="", help="Shown to others [default: from the address].")
@DATA
def add_user(email: str, password: str, role: str, name: str, data: Path | None) -> None:
    """Add an account; the server may be running or not."""
    from spellwork_server.commands.accounts import add_account

    _try(lambda: add_account(_settings(data=data), email, password=password, role=role, name=name))
    click.echo(f"Added {email} ({role})", err=True)


@main.group()
def secrets() -> None:
    """Secrets, as they are encrypted."""


@secrets.command("rotate")
@DATA
def rotate_secrets(data: Path | None) -> None:
    """Encrypt all secrets under a new key; the server may be running or not.

    With a key of your own, first put the new one before the old: SPELLWORK_SECRETS_KEY=NEW,OLD.
    """
    from spellwork_server.commands.secret_keys import rotate

    count = _try(lambda: rotate(_settings(data=data)))
    click.echo(f"{count} secrets are under the new key", err=True)


@main.command()
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the key is for.")
@DATA
def token(email: str, name: str, data: Path | None) -> None:
    """Print a new API key of an account, and nothing else."""
    from spellwork_server.commands.accounts import make_key

    click.echo(_try(lambda: make_key(_settings(data=data), email, name)))


@main.command()
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
def run(
    file: Path,
    inputs: tuple[str, ...],
    scope: tuple[str, ...],
    reach: Any,
    last: Path | None,
    timeout: float | None,
) -> None:
    """Run a spell with no server; print the outputs as JSON.

    FILE is a spell in any form: JSON, YAML, a manifest, a plan in MessagePack,
    Python source (which is read, and not executed), or a folder.

    Exits with 1 if a node failed, with 2 if the spell or an input is wrong.
    """
    from spellwork_server.commands.spells import run_spell

    outputs, complaints = _try(
        lambda: run_spell(file, dict(map(_input, inputs)), scope or None, reach, last, timeout)
    )
    click.echo(json.dumps(outputs, ensure_ascii=False, indent=2))
    for complaint in complaints:
        click.echo(complaint, err=True)
    if complaints:
        raise SystemExit(1)


@main.command("compile")
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

    _put(_try(lambda: compile_spell(file, form, output)))


@main.command("diff")
@click.argument("before", type=SPELL)
@click.argument("after", type=SPELL)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff_files(before: Path, after: Path, as_json: bool) -> None:
    """Say what differs between two spells, in whatever form they are.

    Exits with 0 if nothing does, with 1 if something does, with 2 if one
    cannot be read.
    """
    from spellwork_server.commands.differences import compare, told

    found = _try(lambda: compare(before, after))
    if as_json:
        click.echo(json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        for line in told(found):
            click.echo(line)
    if found:
        raise SystemExit(1)


@main.command("format")
@click.argument("files", type=SPELL, nargs=-1, required=True, metavar="FILE|DIR...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would.")
def format_files(files: tuple[Path, ...], check: bool) -> None:
    """Write spells anew in the form that they are in: sorted, so that they merge well.

    Prints the files that changed. Comments are not kept. A manifest or plan is
    compiled anew.
    """
    from spellwork_server.commands.formatting import format_file

    changed = [
        each for file in files for each in _try(lambda file=file: format_file(file, check=check))
    ]
    for each in changed:
        click.echo(each)
    if check and changed:
        raise SystemExit(1)


@main.command("upgrade")
@click.argument("files", type=SPELL, nargs=-1, required=True, metavar="FILE|DIR...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would.")
def upgrade_files(files: tuple[Path, ...], check: bool) -> None:
    """Bring old nodes of spells to the newest versions of their types, and say what became of each.

    Exits with 1 if a node stays old, for its type has no migration from there.
    """
    from spellwork_server.commands.upgrading import upgrade_file

    left = False
    for file in files:
        for each in _try(lambda file=file: upgrade_file(file, check=check)):
            node = f"{file}: node {each.node!r} ({each.type})"
            if each.reason is None:
                click.echo(f"{node}: version {each.version} to {each.newest}")
            else:
                click.echo(f"{node} stays at version {each.version}: {each.reason}", err=True)
            left = left or check or each.reason is not None
    if left:
        raise SystemExit(1)


@main.command("export")
@click.argument("canvas")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--to",
    "form",
    type=FORM,
    help="Form [default: by the file's ending; folder where FILE is one; else json].",
)
@URL
@TOKEN
def export_file(
    canvas: str, file: Path | None, form: str | None, url: str, token: str | None
) -> None:
    """Write what is on a canvas of a running server to a file or folder, or to standard output."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.transfers import export_canvas

    def work() -> bytes | None:
        with Remote(url, _token(token)) as remote:
            return export_canvas(remote, canvas, file, form)

    _put(_try(work))


@main.command("import")
@click.argument("file", type=SPELL)
@click.option("--canvas", default="new", show_default=True, help="Id of the canvas to draw it on.")
@click.option("--merge", is_flag=True, help="Put its things by their ids; the rest stays.")
@URL
@TOKEN
def import_file(file: Path, canvas: str, merge: bool, url: str, token: str | None) -> None:
    """Draw a spell (a file in any form, or a folder) on a canvas of a running server; print the canvas's id.

    Without --merge what was on the canvas goes. Open tabs see the edits at once.
    """
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.transfers import import_spell

    def work() -> tuple[str, str]:
        with Remote(url, _token(token)) as remote:
            drawn = import_spell(remote, file, canvas, merge=merge)
            return drawn, f"{remote.url}/canvas/{drawn}"

    drawn, address = _try(work)
    click.echo(drawn)
    click.echo(f"Drawn at {address}", err=True)


@main.group()
def pack() -> None:
    """Packs of a running server's workers."""


OF_CANVAS = click.option("--canvas", help="The worker of this canvas.")
OF_WORKER = click.option("--worker", help="This worker, by its id (administrators).")


@pack.command("install")
@click.argument("source", metavar="NAME[==VERSION]|FILE.whl")
@click.option("--sha256", help="What is installed must have this hash.")
@OF_CANVAS
@OF_WORKER
@URL
@TOKEN
def install_pack_of(
    source: str,
    sha256: str | None,
    canvas: str | None,
    worker: str | None,
    url: str,
    token: str | None,
) -> None:
    """Install a pack into a worker, from an index or a wheel; canvases on it show its nodes at once.

    Exits with 1 if the pack is broken, saying why.
    """
    from spellwork_server.commands.packs import install_pack, place_of
    from spellwork_server.commands.remote import Remote

    def work() -> Any:
        with Remote(url, _token(token)) as remote:
            return install_pack(remote, source, place_of(canvas, worker), sha256)

    _put_pack(_try(work), whole=True)


@pack.command("list")
@OF_CANVAS
@OF_WORKER
@URL
@TOKEN
def list_packs_of(canvas: str | None, worker: str | None, url: str, token: str | None) -> None:
    """List the packs of a worker."""
    from spellwork_server.commands.packs import list_packs, place_of
    from spellwork_server.commands.remote import Remote

    def work() -> Any:
        with Remote(url, _token(token)) as remote:
            return list_packs(remote, place_of(canvas, worker))

    for each in _try(work):
        _put_pack(each, whole=False)


@pack.command("remove")
@click.argument("name")
@OF_CANVAS
@OF_WORKER
@URL
@TOKEN
def remove_pack_of(
    name: str, canvas: str | None, worker: str | None, url: str, token: str | None
) -> None:
    """Remove a pack from a worker. Its nodes stay on canvases, and run again once it is back."""
    from spellwork_server.commands.packs import place_of, remove_pack
    from spellwork_server.commands.remote import Remote

    def work() -> Any:
        with Remote(url, _token(token)) as remote:
            return remove_pack(remote, name, place_of(canvas, worker))

    click.echo(f"Removed {_try(work)['distribution']}", err=True)


def _put_pack(each: dict[str, Any], *, whole: bool) -> None:
    """Print a pack; one that is broken, with ``whole``, with its reason, and exit with 1."""
    nodes = sum(of["nodes"] for of in each["packs"])
    version = each["version"] or each["specifier"] or "?"
    click.echo(f"{each['distribution']} {version}: {each['state']}, {nodes} node types")
    for type, reason in each["left_out"].items():
        click.echo(f"  without {type}: {reason}", err=True)
    if each["state"] == "failed":
        click.echo(f"  {each['reason']}", err=True)
        if whole:
            click.echo(each["traceback"] or "", err=True, nl=bool(each["traceback"]))
            raise SystemExit(1)


@main.group()
def worker() -> None:
    """Workers: where code of canvases runs."""


@worker.command("list")
@click.option("--canvas", help="What this canvas can be put on; without it, the shared workers.")
@URL
@TOKEN
def list_workers_of(canvas: str | None, url: str, token: str | None) -> None:
    """List workers: how each is, and what it uses."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.workers import list_workers

    def work() -> list[str]:
        with Remote(url, _token(token)) as remote:
            return list_workers(remote, canvas)

    for line in _try(work):
        click.echo(line)


def _steering(what: str, words: str) -> None:
    """Add a command that steers one worker."""

    @worker.command(what, help=words)
    @click.argument("id")
    @URL
    @TOKEN
    def steer(id: str, url: str, token: str | None) -> None:
        from spellwork_server.commands.remote import Remote
        from spellwork_server.commands.workers import steer_worker

        def work() -> str:
            with Remote(url, _token(token)) as remote:
                return steer_worker(remote, id, what)

        click.echo(_try(work))


_steering("start", "Start a worker that was stopped. A canvas's own has the canvas's ID.")
_steering("stop", "Stop a worker until somebody starts it; its calls fail.")
_steering("restart", "End a worker's process, and start it anew.")


@worker.command("withdraw")
@click.argument("id")
@click.option("--canvas", required=True, help="The canvas from which it is taken away.")
@URL
@TOKEN
def withdraw_worker_from(id: str, canvas: str, url: str, token: str | None) -> None:
    """Take an external worker away from a canvas."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.workers import withdraw_worker

    def work() -> str:
        with Remote(url, _token(token)) as remote:
            return withdraw_worker(remote, id, canvas)

    click.echo(_try(work))


@worker.command("logs")
@click.argument("id")
@URL
@TOKEN
def worker_logs(id: str, url: str, token: str | None) -> None:
    """Print the last lines of a worker's log."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.workers import worker_log

    def work() -> list[str]:
        with Remote(url, _token(token)) as remote:
            return worker_log(remote, id)

    for line in _try(work):
        click.echo(line)


@worker.command("connect")
@click.argument("url", metavar="wss://HOST")
@click.argument("target", metavar="MODULE:CLASS")
@click.option(
    "--token",
    envvar="SPELLWORK_WORKER_TOKEN",
    help="The token of this worker; better by the variable SPELLWORK_WORKER_TOKEN.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its configuration as JSON; where it is edited from a canvas, it is written here.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates to verify the server's with, in the place of the system's.",
)
def connect_worker(
    url: str, target: str, token: str | None, config: Path | None, ca: Path | None
) -> None:
    """Connect an object of this machine to a server: its methods are nodes on the canvases it was given to.

    Make the worker and its token on the server first. It runs until interrupted,
    and comes back by itself when the connection is lost.
    """
    from spellwork_server.commands.connecting import connect

    if not token:
        raise click.UsageError("Say which worker this is: --token T, or SPELLWORK_WORKER_TOKEN")
    _try(lambda: connect(url, token, target, config, ca, lambda line: click.echo(line, err=True)))


@main.command("new-pack")
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def new_pack_project(name: str, folder: Path | None) -> None:
    """Make the project of a pack called NAME, with two nodes and tests that pass.

    FOLDER is made; it is spellwork-NAME unless given.
    """
    from spellwork_server.commands.new_pack import new_pack

    for path in _try(lambda: new_pack(name, folder)):
        click.echo(path)


@main.command()
@DATA
def doctor(data: Path | None) -> None:
    """Check this installation: packs, client, database. Exits with 1 if something is wrong."""
    from spellwork_server.commands.doctor import examine

    findings = _try(lambda: examine(_settings(data=data)))
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.subject}: {finding.message}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


def _settings(**given: Any) -> Any:
    from pydantic import ValidationError

    from spellwork_server.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise click.UsageError("Wrong settings: " + "; ".join(lines)) from error


def _token(token: str | None) -> str:
    if not token:
        raise click.UsageError("Say who you are: --token KEY, or the variable SPELLWORK_TOKEN")
    return token


def _put(content: bytes | None) -> None:
    """Write bytes to standard output as they are."""
    if content is not None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()


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


def _try(work: Any) -> Any:
    """Do some work; what it refuses is told in one line."""
    from spellwork.errors import SpellworkError
    from spellwork_server.errors import ServerError

    try:
        return work()
    except (SpellworkError, ServerError) as error:
        click.echo(f"Error: {error.message} ({error.code})", err=True)
        raise SystemExit(2) from error
