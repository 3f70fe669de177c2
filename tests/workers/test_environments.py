"""Environments: made of a lock, whole or not at all, shared by content; nothing of a package runs unconfined."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from spellwork import Context, DetachedHost
from spellwork.workers import WorkerPool
from spellwork.workers.environments import Environments, base_environment, key_of
from spellwork.workers.installer import ProvisionFailed, Sources
from spellwork.workers.spec import WorkerSpec
from tests.workers.conftest import step_of
from tests.workers.wheels import write_wheel

pytestmark = pytest.mark.anyio


@dataclass
class Shop:
    """A folder of wheels, and the environments made of them."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wheels = self.folder / "wheels"
        self.made = self.folder / "environments"
        self.sources = Sources(no_index=True, find_links=(str(self.wheels),))
        self.environments = Environments(self.made, self.sources, keep=0)

    async def lock(self, *requirements: str) -> str:
        return await self.environments.lock(requirements, self.said.append)

    async def get(self, lock: str) -> Any:
        return await self.environments.get(lock, self.said.append)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("shop"))
    write_wheel(made.wheels, "spam", "1.0")
    write_wheel(made.wheels, "spam", "2.0", requires=("eggs>=1",))
    write_wheel(made.wheels, "eggs", "1.5")
    spy = "import os; open(os.environ.get('HOME', '/tmp') + '/seen', 'a').write('pth ')\n"
    reach = "try:\n    FOUND = open({path!r}).read()\nexcept OSError as error:\n    FOUND = type(error).__name__\n"
    secret = made.folder / "secret"
    secret.write_text("the server's")
    write_wheel(
        made.wheels,
        "pathy",
        files={
            "pathy.py": "import reaches\nFOUND = reaches.FOUND\n",
            "reaches.py": reach.format(path=str(secret)),
            "pathy.pth": f"import reaches; {spy}",
        },
    )
    write_wheel(made.wheels, "msgspec", "0.0.1")
    return made


async def cell(pool: WorkerPool, spec: WorkerSpec, code: str) -> Any:
    async def find(*_: Any) -> WorkerSpec:
        return spec

    pool.find = find
    step = step_of(code)
    outputs = await pool.call(step, {}, Context("cell", step.node, DetachedHost(canvas=spec.id)))
    return outputs["result"]


@pytest.mark.rule("18.22")
async def test_a_lock_names_every_package_with_its_version_and_hashes(shop: Shop) -> None:
    lock = await shop.lock("spam>=1")
    assert [line.split()[0] for line in lock.splitlines() if "==" in line] == [
        "eggs==1.5",
        "spam==2.0",
    ]
    assert lock.count("--hash=sha256:") == 2
    assert await shop.lock("spam>=1") == lock
    assert await shop.lock() == ""
    assert (await shop.get("")).key == base_environment().key == "base"


@pytest.mark.rule("18.23")
@pytest.mark.parametrize(
    ("requirements", "named"),
    [
        (("spam>=3",), ("spam",)),
        (("nowhere", "spam"), ("nowhere",)),
        (("spam==1.0", "eggs>2"), ("eggs",)),
    ],
    ids=["version", "package", "one of two"],
)
async def test_what_cannot_be_resolved_names_the_requirement(
    shop: Shop, requirements: tuple[str, ...], named: tuple[str, ...]
) -> None:
    with pytest.raises(ProvisionFailed) as caught:
        await shop.lock(*requirements)
    assert caught.value.requirements == named
    assert named[0] in caught.value.message


@pytest.mark.rule("18.23")
async def test_a_source_distribution_is_not_built(shop: Shop) -> None:
    import tarfile  # noqa: PLC0415

    own = Shop(shop.folder / "source")
    own.wheels.mkdir(parents=True)
    (own.folder / "setup.py").write_text(f"open({str(own.folder / 'ran')!r}, 'w')")
    with tarfile.open(own.wheels / "loose-1.0.tar.gz", "w:gz") as archive:
        archive.add(own.folder / "setup.py", "loose-1.0/setup.py")
    with pytest.raises(ProvisionFailed, match="loose"):
        await own.lock("loose")
    assert not (own.folder / "ran").exists()


@pytest.mark.rule("18.22")
async def test_a_file_that_is_not_the_locked_one_is_refused(shop: Shop) -> None:
    lock = (await shop.lock("spam<2")).replace("sha256:", "sha256:0000", 1)
    lock = lock[: lock.index("sha256:0000") + 11] + lock[lock.index("sha256:0000") + 15 :]
    with pytest.raises(ProvisionFailed):
        await shop.get(lock)
    assert not (shop.made / key_of(lock)).exists()


@pytest.mark.rule("18.24")
async def test_the_same_lock_is_the_same_environment_made_once(shop: Shop) -> None:
    lock = await shop.lock("spam<2")
    shop.said.clear()
    first, second = await asyncio.gather(shop.get(lock), shop.get(lock))
    assert first == second
    assert shop.said.count("Installing") == 1
    assert any("spam==1.0" in line for line in shop.said)
    assert os.listdir(shop.made / "cache")  # noqa: PTH208


@pytest.mark.rule("18.24")
async def test_a_crash_leaves_no_half_environment(shop: Shop) -> None:
    """The installer is killed with whoever made the environment; what it left has no key, and goes."""
    own = Shop(shop.folder / "crash")
    write_wheel(own.wheels, "spam", "1.0")
    program = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from spellwork.workers.environments import Environments\n"
        "from spellwork.workers.installer import Sources\n"
        "def tell(line):\n"
        "    if 'Compiling' in line: os.kill(os.getpid(), 9)\n"
        "async def main():\n"
        "    made = Environments(Path(sys.argv[1]), Sources(no_index=True, find_links=(sys.argv[2],)))\n"
        "    await made.get(await made.lock(['spam'], tell), tell)\n"
        "asyncio.run(main())\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(own.made), str(own.wheels)], check=False
    )
    assert done.returncode == -9
    lock = await own.lock("spam")
    assert own.environments.find(lock) is None
    assert [path.name for path in own.made.iterdir() if path.name.startswith(".new-")]
    await own.environments.remove_unused([])
    assert not [path.name for path in own.made.iterdir() if path.name.startswith(".new-")]
    assert (await own.get(lock)).directory is not None


@pytest.mark.rule("18.25")
async def test_unused_environments_are_removed_and_used_ones_stay(shop: Shop) -> None:
    own = Shop(shop.folder / "unused")
    for name in ("one", "two"):
        write_wheel(own.wheels, name)
    made = [await own.get(await own.lock(name)) for name in ("one", "two")]
    assert await own.environments.remove_unused([made[0].key]) == [made[1].key]
    assert own.environments.find(made[0].lock) == made[0]
    assert own.environments.find(made[1].lock) is None


@pytest.mark.rule("18.26")
async def test_a_cell_has_the_packages_of_its_environment_and_behind_them_the_servers(
    shop: Shop,
) -> None:
    environment = await shop.get(await shop.lock("spam<2", "msgspec==0.0.1"))
    async with WorkerPool() as pool:
        spec = WorkerSpec("c", environment.program, pool.limits)
        code = "import spam, msgspec, pydantic, sys\n[spam.VERSION, msgspec.VERSION, sys.prefix]"
        found = await cell(pool, spec, code)
        assert found == ["1.0", "0.0.1", str(environment.directory)]
        base = WorkerSpec("d", base_environment().program, pool.limits)
        code = "import importlib.util\nimportlib.util.find_spec('spam') is None"
        assert await cell(pool, base, code) is True
        code = "open(spam.__file__, 'a')"
        with pytest.raises(Exception, match=r"(?i)permission|read-only"):
            await cell(pool, spec, f"import spam\n{code}")


@pytest.mark.rule("18.26")
async def test_what_a_package_runs_at_the_start_of_the_interpreter_is_confined(shop: Shop) -> None:
    environment = await shop.get(await shop.lock("pathy"))
    assert not list(shop.folder.rglob("seen"))
    async with WorkerPool() as pool:
        spec = WorkerSpec("c", environment.program, pool.limits)
        assert await cell(pool, spec, "import pathy\npathy.FOUND") != "the server's"
    assert not list(shop.folder.rglob("seen"))


@pytest.mark.rule("18.26")
@pytest.mark.parametrize("file", ["pyvenv.cfg", "bin/pyvenv.cfg", "bin/python", "bin/python3"])
async def test_no_package_changes_how_its_interpreter_starts(tmp_path: Path, file: str) -> None:
    shop = Shop(tmp_path)
    brought = {"evil.py": "", f"evil-1.0.data/data/{file}": "home = /tmp\n"}
    write_wheel(shop.wheels, "evil", "1.0", brought)
    write_wheel(shop.wheels, "good", "1.0", {"good-1.0.data/data/bin/python-good": "#!/bin/sh\n"})
    with pytest.raises(ProvisionFailed, match=r"interpreter|reserved name"):
        await shop.get(await shop.lock("evil"))
    assert [each for each in shop.made.iterdir() if each.name != "cache"] == []
    assert (await shop.get(await shop.lock("good"))).directory is not None
