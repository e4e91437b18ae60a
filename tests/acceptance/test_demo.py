"""`siyu demo` as somebody runs it who has nothing but the command."""

from pathlib import Path

import pytest

from tests.acceptance.processes import finish


@pytest.fixture
def private_folder(tmp_path: Path) -> Path:
    """A folder under a parent that only its owner may enter, as a home folder is."""
    parent = tmp_path / "private"
    parent.mkdir(mode=0o700)
    folder = parent / "a folder with spaces 思域"
    folder.mkdir()
    return folder


async def test_every_step_of_the_day_is_verified(private_folder: Path) -> None:
    done = await finish("demo", settings={}, folder=private_folder, within=300)
    assert (done.status, done.err) == (0, ""), done.out
    assert "steps verified" in done.out
    assert list(private_folder.iterdir()) == []
