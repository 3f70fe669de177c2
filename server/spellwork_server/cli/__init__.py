"""The command ``spellwork``. Each sub-command imports what it needs when it is called.

``spellwork run`` must not pay for loading a server, nor ``spellwork token``
for loading every pack. The commands are here by what they are about; what they
do is in ``spellwork_server.commands``, which knows no command line.
"""

from __future__ import annotations

import click

from . import packs, server, spell_tests, spells, transfers, workers


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spellwork")
def main() -> None:
    """Spellwork: draw AI and data graphs together, and run them on your own server."""


for _command in (
    server.serve,
    server.user,
    server.secrets,
    server.token,
    spells.run,
    spell_tests.test_files,
    spells.compile_file,
    spells.diff_files,
    spells.format_files,
    spells.upgrade_files,
    transfers.export_file,
    transfers.import_file,
    packs.pack,
    workers.worker,
    packs.new_pack_project,
    server.doctor,
):
    main.add_command(_command)
