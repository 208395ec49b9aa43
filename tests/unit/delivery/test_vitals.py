"""What this process has used, as the system tells it."""

import resource
from pathlib import Path

import pytest

from simulator.delivery import vitals
from simulator.delivery.room import Limits


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


def test_limits_are_the_hard_limit_and_the_range_of_local_ports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "ip_local_port_range"
    told.write_text("32768\t60999\n", encoding="ascii")
    monkeypatch.setattr(vitals, "_PORTS", told)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    expected = None if hard == resource.RLIM_INFINITY else hard
    assert vitals.limits() == Limits(descriptors=expected, ports=28_232)


@pytest.mark.parametrize("text", [None, "", "a b"])
def test_the_dynamic_range_is_assumed_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    told = tmp_path / "ip_local_port_range"
    if text is not None:
        told.write_text(text, encoding="ascii")
    monkeypatch.setattr(vitals, "_PORTS", told)
    assert vitals.limits().ports == 16_384
