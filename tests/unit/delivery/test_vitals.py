"""What this process has used, as the system tells it."""

import resource
from pathlib import Path

import pytest

from simulator.delivery import vitals


def test_cpu_time_and_memory_follow_use() -> None:
    before_ns = vitals.cpu_ns()
    block = bytearray(b"\1") * 50_000_000
    assert sum(block[::10]) == 5_000_000
    assert vitals.cpu_ns() > before_ns
    assert vitals.rss_bytes() > len(block)


def test_memory_is_0_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vitals, "_STATM", tmp_path / "absent")
    assert vitals.rss_bytes() == 0


def test_the_limit_of_open_files_is_raised_as_far_as_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        for _ in range(2):
            assert vitals.raise_descriptor_limit() == hard
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
