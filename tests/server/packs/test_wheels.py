"""Uploaded wheels are looked at without unpacking them; the operator's list says which packs may come in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from spellwork_server.errors import BadRequest, Forbidden, NotFound, TooLarge
from spellwork_server.identity import Actor
from spellwork_server.packs.allowed import AllowedPacks
from spellwork_server.packs.wheels import MOST_FILES, Wheels
from tests.server.packs.wheels import sha256, wheel

ADA = Actor("ada", "ada@example.org", "Ada", "member")
ROOT = Actor("root", "root@example.org", "Root", "admin")
PIN = "a" * 64


@pytest.mark.rule("W33")
def test_a_wheel_is_kept_by_its_hash_until_nothing_is_installed_from_it(tmp_path: Path) -> None:
    wheels = Wheels(tmp_path / "kept", 100_000)
    data = wheel(tmp_path).read_bytes()
    looked = wheels.look_at("acme_far-1.0-py3-none-any.whl", data)
    assert (looked.distribution, looked.version, looked.size) == ("acme-far", "1.0", len(data))
    with pytest.raises(NotFound):
        wheels.find(looked.sha256)
    wheels.keep(looked, data)
    wheels.keep(looked, data)
    assert wheels.find(looked.sha256) == looked
    assert looked.path.read_bytes() == data
    wheels.forget_all_but({looked.sha256})
    wheels.forget_all_but(set())
    with pytest.raises(NotFound):
        wheels.find(looked.sha256)
    for name in ("../../etc/passwd", "*", looked.sha256.upper()):
        with pytest.raises(NotFound):
            wheels.find(name)


def bomb() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("acme_far/data", b"\0" * 8_000_000)
    return body.getvalue()


def many() -> bytes:
    """Return an archive whose list alone would be large."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for number in range(MOST_FILES + 1):
            archive.writestr(zipfile.ZipInfo(f"{number:x}"), b"")
    return body.getvalue()


def broken(good: bytes) -> bytes:
    """Return a wheel whose metadata is compressed by no way that is known."""
    body = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(body, "w", 8) as new:
        for each in old.namelist():
            new.writestr(each, old.read(each) * 20)
    data, at = body.getvalue(), body.getvalue().index(b"METADATA") + len(b"METADATA")
    return data[:at] + b"\xff" * 8 + data[at + 8 :]


@pytest.mark.rule("W33")
@pytest.mark.parametrize(
    "needed", ["other @ http://10.0.0.1/x.whl", "o[e]@git+file:///srv/x", "o @file:///etc/x ; a"]
)
def test_a_wheel_that_sends_the_installer_to_an_address_is_refused(
    tmp_path: Path, needed: str
) -> None:
    wheels = Wheels(tmp_path / "kept", 100_000)
    data = wheel(tmp_path, requires=("numpy>=2 ; extra == 'a@b'", needed)).read_bytes()
    with pytest.raises(BadRequest, match="by an address"):
        wheels.look_at("acme_far-1.0-py3-none-any.whl", data)


@pytest.mark.rule("W33")
def test_what_is_no_wheel_of_a_pack_is_refused(tmp_path: Path) -> None:
    wheels = Wheels(tmp_path / "kept", 10_000_000)
    good = wheel(tmp_path).read_bytes()
    name = "acme_far-1.0-py3-none-any.whl"
    refused: dict[str, tuple[str, bytes]] = {
        "is not the name of a wheel": ("far.zip", good),
        "no wheel that can be read": (name, b"not a zip"),
        "brings no pack": (name, wheel(tmp_path / "b", points="").read_bytes()),
        "no entry point": (name, wheel(tmp_path / "c", points="[other]\nx = y:z\n").read_bytes()),
        "can be read": ("acme_far-2.0-py3-none-any.whl", good),
        "bytes unpacked": (name, bomb()),
        "files": (name, many()),
        "that can be read": (name, broken(good)),
    }
    for said, (file_name, data) in refused.items():
        with pytest.raises(BadRequest, match=said):
            wheels.look_at(file_name, data)
    for file_name in ("../acme_far-1.0-py3-none-any.whl", "a/b-1-py3-none-any.whl"):
        with pytest.raises(BadRequest):
            wheels.look_at(file_name, good)
    with pytest.raises(TooLarge):
        Wheels(tmp_path, 100).look_at(name, good)
    assert not list((tmp_path / "kept").glob("*"))


@pytest.mark.rule("W32")
@pytest.mark.parametrize(
    ("rules", "name", "sha", "allowed"),
    [
        ((), "acme-far", None, False),
        (("acme-far",), "Acme.Far", None, True),
        (("acme-*",), "acme_far", PIN, True),
        (("acme-*",), "evil-acme-far", None, False),
        (("acme-far@sha256:" + PIN,), "acme-far", PIN, True),
        (("acme-far@sha256:" + PIN,), "acme-far", "b" * 64, False),
        (("acme-far@sha256:" + PIN,), "acme-far", None, True),
        (("*",), "anything", None, True),
    ],
)
def test_the_operator_says_which_packs_may_be_installed(
    rules: tuple[str, ...], name: str, sha: str | None, allowed: bool
) -> None:
    listed = AllowedPacks(rules)
    assert listed.check(ROOT, name, sha) is None
    if not allowed:
        with pytest.raises(Forbidden, match="operator allows"):
            listed.check(ADA, name, sha)
        return
    pins = listed.check(ADA, name, sha)
    assert pins == (frozenset({PIN}) if "@" in rules[0] else None)


def test_a_rule_that_cannot_be_read_is_told_at_the_start() -> None:
    with pytest.raises(ValueError, match="SPELLWORK_PACKS_ALLOWED"):
        AllowedPacks(("acme far",))


def test_the_same_bytes_have_the_same_hash(tmp_path: Path) -> None:
    assert sha256(wheel(tmp_path / "a")) == sha256(wheel(tmp_path / "b"))
