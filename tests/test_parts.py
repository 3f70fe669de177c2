"""A missing part skips with its reason on a laptop and fails in CI."""

from __future__ import annotations

import pytest

from tests import parts


@pytest.fixture
def _unicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        parts, "PARTS", {"unicorn": parts.Part("catch one", executables=("no-such-unicorn",))}
    )


@pytest.mark.usefixtures("_unicorn")
def test_a_missing_part_skips_with_its_remedy_on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="unicorn is missing here: catch one"):
        parts.require("unicorn")


@pytest.mark.usefixtures("_unicorn")
def test_a_missing_part_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="unicorn is missing here: catch one"):
        parts.require("unicorn")


@pytest.mark.anyio
async def test_async_tests_run_on_one_asyncio_loop(anyio_backend_name: str) -> None:
    assert anyio_backend_name == "asyncio"
