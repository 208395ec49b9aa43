"""Folders of brokers: they go with their owner, and with the next start if it was killed."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from simulator.delivery.brokers.folders import OwnFolder

_OWNER = """
import os, sys, tempfile
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from simulator.delivery.brokers.folders import OwnFolder
owned = OwnFolder("embedded")
(owned.path / "output.txt").write_text("last words")
print(owned.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_owner(temporary: Path) -> None:
    one, two = OwnFolder("embedded"), OwnFolder("embedded")
    (one.path / "rumqttd.toml").touch()
    assert one.path.parent == temporary
    assert one.path.is_dir()
    one.cleanup()
    two.cleanup()
    assert list(temporary.iterdir()) == []


def test_a_folder_that_cannot_be_owned_does_not_stay(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def refuse(descriptor: int, _operation: int) -> None:
        held.append(descriptor)
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match="no locks here"):
        OwnFolder("embedded")

    assert list(temporary.iterdir()) == []
    (descriptor,) = held
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_what_a_killed_owner_left_goes_at_the_next_start_and_nothing_else(
    temporary: Path,
) -> None:
    others = temporary / "alertsim-embedded-of-an-older-version"
    others.mkdir()
    (temporary / "alertsim-embedded-link").symlink_to("/etc")
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(temporary)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        left = Path(owner.stdout.readline().strip())
        OwnFolder("embedded").cleanup()
        assert (left / "output.txt").exists()
        owner.kill()

    OwnFolder("mosquitto").cleanup()
    assert left.exists()
    OwnFolder("embedded").cleanup()

    assert not left.exists()
    assert others.is_dir()
    assert (temporary / "alertsim-embedded-link").is_symlink()
