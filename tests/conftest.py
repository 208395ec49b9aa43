"""Shared by all tests: real components or an honest skip, and no leaking settings."""

import os
import shutil

import hypothesis
import pytest

# Machines are shared: a property that holds slowly still holds.
hypothesis.settings.register_profile("alertsim", deadline=None, print_blob=True)
hypothesis.settings.load_profile("alertsim")

# What a marked test needs. Where it is missing the test is skipped; in CI the skip is a failure.
COMPONENTS = {
    "mosquitto": ("mosquitto", "mosquitto_sub", "mosquitto_pub"),
    "browser": ("chromium",),
    "netns": ("unshare", "ip"),
    "capture": ("tcpdump",),
}


def _missing(item: pytest.Item) -> list[str]:
    return [
        program
        for marker, programs in COMPONENTS.items()
        if item.get_closest_marker(marker)
        for program in programs
        if shutil.which(program) is None and shutil.which(f"/usr/sbin/{program}") is None
    ]


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = _missing(item)
    if not missing:
        return
    reason = f"needs {', '.join(missing)}"
    if os.environ.get("ALERTSIM_CI"):
        pytest.fail(f"{reason}: in CI a marked test must not be skipped", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _nothing_from_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A developer's ALERTSIM_* variables and running brokers must not change what a test shows."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    for name in list(os.environ):
        if name.startswith("ALERTSIM_") and name != "ALERTSIM_CI":
            monkeypatch.delenv(name)
