"""Spells from canvases of a running server to files, and back."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

from pathlib import Path

import click

from .doing import attempt, need_token, write_out
from .options import FORM, SPELL, TOKEN, URL


@click.command("export")
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
        with Remote(url, need_token(token)) as remote:
            return export_canvas(remote, canvas, file, form)

    write_out(attempt(work))


@click.command("import")
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
        with Remote(url, need_token(token)) as remote:
            drawn = import_spell(remote, file, canvas, merge=merge)
            return drawn, f"{remote.url}/canvas/{drawn}"

    drawn, address = attempt(work)
    click.echo(drawn)
    click.echo(f"Drawn at {address}", err=True)
