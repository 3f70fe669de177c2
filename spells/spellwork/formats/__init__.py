"""Every form that a spell is written in, each of which reads back as an equal spell.

- ``json``, ``yaml``: the spell itself, in an order that merges well.
- ``manifest``: the plan as YAML for people, with the spell it was made from.
- ``ir``: the same as canonical MessagePack, for programs.
- ``python``: a script that builds the spell with ``Workflow`` and runs it.
- a folder (``folder``): meaning, layout and code in files of their own.

All are deterministic: the same spell gives the same bytes on any machine.
"""

from __future__ import annotations

from spellwork.errors import FormatInvalid

from .folder_files import changes_of, read_folder, write_folder
from .forms import FORMS, SUFFIXES, Form, form_of, read_form, write
from .ir import read_ir, to_ir
from .json import to_json
from .manifest import is_manifest, to_manifest
from .order import ordered
from .python_reader import read_python
from .python_writer import to_python
from .yaml import to_yaml
from .yaml_reader import read_yaml

__all__ = [
    "FORMS",
    "SUFFIXES",
    "Form",
    "FormatInvalid",
    "changes_of",
    "form_of",
    "is_manifest",
    "ordered",
    "read_folder",
    "read_form",
    "read_ir",
    "read_python",
    "read_yaml",
    "to_ir",
    "to_json",
    "to_manifest",
    "to_python",
    "to_yaml",
    "write",
    "write_folder",
]
