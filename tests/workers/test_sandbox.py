"""The layers around a worker: found, put on programs of any kind, and told of where they are missing."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import msgspec
import pytest

from spellwork.workers import Confinement, WorkerPool
from spellwork.workers.cgroups import Cgroups, NoCgroupsError
from spellwork.workers.errors import NotConfined
from spellwork.workers.limits import WorkerLimits
from spellwork.workers.program import JSON, Program
from spellwork.workers.sandbox import LayeredSandbox, find_sandbox

from .conftest import Bench

pytestmark = pytest.mark.anyio


class Open(LayeredSandbox):
    """A machine that closes nothing, or the network alone."""

    network = False

    def in_force(self, told: Confinement) -> Confinement:
        return Confinement(network=self.network, reason="this machine has nothing")


class HalfOpen(Open):
    network = True


@pytest.mark.rule("19.1", "K8")
@pytest.mark.parametrize(
    ("machine", "allowed", "opened"),
    [
        (Open, (), ["files", "network"]),
        (Open, ("files",), ["network"]),
        (HalfOpen, (), ["files"]),
        (HalfOpen, ("network",), ["files"]),
        (HalfOpen, ("files",), []),
        (Open, ("files", "network"), []),
    ],
)
async def test_where_nothing_is_closed_no_code_runs_unless_it_was_allowed_by_name(
    machine: type[Open], allowed: tuple[str, ...], opened: list[str]
) -> None:
    async with WorkerPool(sandbox=machine(None, None, {}), unconfined=allowed) as pool:
        if not opened:
            assert await Bench(pool).run("1") == {"result": 1}
            return
        with pytest.raises(NotConfined, match="this machine has nothing") as caught:
            await Bench(pool).run("1")
        assert caught.value.details["open"] == opened
        assert f"SPELLWORK_ALLOW_UNCONFINED={','.join(opened)}" in caught.value.message


@pytest.mark.rule("19.1")
async def test_each_layer_is_in_force_or_says_why_not() -> None:
    found = await find_sandbox()
    told = Confinement(True, True, True, "", ("seccomp",), {"landlock": "switched off"})
    merged = found.in_force(told)
    assert set(merged.layers) | set(merged.absent) == {
        *("bubblewrap", "cgroup", "rlimits", "seccomp", "landlock")
    }
    bare = LayeredSandbox(None, None, {"bubblewrap": "not installed", "cgroup": "none"})
    assert bare.in_force(Confinement()).layers == ("rlimits",)
    assert not bare.in_force(Confinement()).whole


async def program(sandbox: LayeredSandbox, directory: Path, *argv: str) -> tuple[dict, str, str]:
    """Run a program that is not Python's in a sandbox; return what was told, what it printed and said."""
    directory.mkdir()  # noqa: ASYNC240 - one small directory
    made = sandbox.place(
        Program("typescript", "t", argv, codec=JSON), argv, str(directory), WorkerLimits(512)
    )
    done = subprocess.run(  # noqa: ASYNC221 - it ends at once
        made.argv, capture_output=True, cwd=directory, env={}, check=False, timeout=30
    )
    made.close()
    assert len(done.stdout) > 4, done.stderr
    (size,) = struct.unpack_from(">I", done.stdout)
    ready = msgspec.json.decode(done.stdout[4 : 4 + size])
    return ready, done.stdout[4 + size :].decode(), done.stderr.decode()


@pytest.mark.rule("19.1", "19.2", "19.4")
@pytest.mark.parametrize("around", [True, False])
async def test_a_program_that_is_not_pythons_is_closed_in_alike(
    tmp_path: Path, around: bool
) -> None:
    sandbox = await find_sandbox() if around else LayeredSandbox(None, None, {})
    (tmp_path / "secret").write_text("a secret")
    script = f"cat {tmp_path}/secret; echo own > note; cat note; ulimit -c; unshare -U true"
    ready, out, said = await program(sandbox, tmp_path / "own", "/bin/sh", "-c", script)
    assert ready["type"] == "ready"
    assert ready["pid"] == 0
    assert set(ready["confinement"]["layers"]) | set(ready["confinement"]["absent"]) == {
        "seccomp",
        "landlock",
    }
    assert out == "own\n0\n"
    assert "unshare" in said
    assert "a secret" not in out


def unified(system: Path, controllers: str) -> Path:
    """Make what a container with its own hierarchy of control groups shows."""
    own = system / "sys/fs/cgroup/app"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text(controllers)
    (own / "cgroup.subtree_control").write_text("")
    (system / "proc/self").mkdir(parents=True)
    (system / "proc/self/cgroup").write_text("0::/box/app\n")
    (system / "proc/self/mountinfo").write_text(
        "30 1 0:26 /box /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
    )
    return own


@pytest.mark.rule("19.5")
def test_groups_are_made_below_the_servers_own_which_is_left_by_all(tmp_path: Path) -> None:
    own = unified(tmp_path, "cpu memory pids\n")
    groups = Cgroups(tmp_path, pid=77)
    assert groups.unified
    assert (own / "spellwork-server/cgroup.procs").read_text() == "77"
    group = groups.make(memory_mb=3, processes=5)
    place = Path(group.join[0]).parent
    assert place.parent == own / "spellwork-77"
    assert (place / "memory.max").read_text() == str(3 << 20)
    assert (place / "pids.max").read_text() == "5"
    assert not group.out_of_memory()
    (place / "memory.events").write_text("oom 2\noom_kill 1\n")
    assert group.out_of_memory()


@pytest.mark.rule("19.1")
@pytest.mark.parametrize(
    ("controllers", "why"), [("cpu\n", "counts no memory"), (None, "tells nothing")]
)
def test_where_no_group_can_be_made_it_is_said_why(
    tmp_path: Path, controllers: str | None, why: str
) -> None:
    if controllers is not None:
        unified(tmp_path, controllers)
    with pytest.raises(NoCgroupsError, match=why):
        Cgroups(tmp_path, pid=77)
