"""``spellwork new-pack``: the project it makes passes its own tests, builds, and runs on a canvas."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from spellwork_server.cli import main
from tests.server.packs.test_packs import shop

pytestmark = pytest.mark.anyio


def made(folder: Path, name: str = "weather_station") -> Path:
    result = CliRunner().invoke(main, ["new-pack", name, str(folder / "project")])
    assert result.exit_code == 0, result.output
    assert str(folder / "project" / "pyproject.toml") in result.output.splitlines()
    return folder / "project"


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=clean,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.rule("20.4")
async def test_a_new_pack_passes_its_tests_and_runs_on_a_canvas(tmp_path: Path) -> None:
    project = made(tmp_path)
    tests = python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "4 passed" in tests.stdout
    build = "import hatchling.build; print(hatchling.build.build_wheel('dist'))"
    built = python(project, "-c", build)
    assert built.returncode == 0, built.stderr
    wheel = project / "dist" / built.stdout.strip()
    async with shop(tmp_path) as s:
        kept = await s.upload(s.ada, wheel)
        done = await s.install(s.ada, file=kept.body["file"])
        assert done.body["state"] == "ready", done.body
        assert done.body["packs"][0]["nodes"] == 2
        await s.draw(
            g={"type": "weather_station.greet", "inputs": {"who": "you"}},
            c={"type": "weather_station.count", "inputs": {"to": 4}},
        )
        outputs = (await s.run())["outputs"]
        assert outputs["g"]["greeting"] == "Hello, you!"
        assert outputs["c"]["numbers"] == [1, 2, 3, 4]


@pytest.mark.rule("20.4")
@pytest.mark.parametrize("name", ["Weather", "1st", "a-b", "class", "", "../up"])
def test_a_name_that_no_pack_can_have_is_refused(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(main, ["new-pack", name, str(tmp_path / "project")])
    assert result.exit_code == 2
    assert not (tmp_path / "project").exists()


@pytest.mark.rule("20.4")
def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    project = made(tmp_path)
    before = (project / "README.md").read_bytes()
    assert CliRunner().invoke(main, ["new-pack", "other", str(project)]).exit_code == 2
    assert (project / "README.md").read_bytes() == before
