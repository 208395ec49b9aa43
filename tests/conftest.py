"""Shared by all tests: real components or an honest skip, and no leaking settings."""

import os
import shutil
import subprocess
from pathlib import Path

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
    "npm": ("node", "npm"),
}
# Where .ci/run has installed tests/package.json already: one installation, not one per process.
NPM_FOLDER = "ALERTSIM_CI_NPM"
KEPT = ("ALERTSIM_CI", NPM_FOLDER)


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
        if name.startswith("ALERTSIM_") and name not in KEPT:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def npm_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``node_modules`` that holds what ``tests/package.json`` names; for tests marked npm."""
    given = os.environ.get(NPM_FOLDER)
    if given:
        return Path(given) / "node_modules"
    folder = tmp_path_factory.mktemp("npm")
    shutil.copy(Path(__file__).with_name("package.json"), folder)
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if done.returncode:
        told = f"npm install of tests/package.json failed: {done.stderr[-500:]}"
        if os.environ.get("ALERTSIM_CI"):
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    return folder / "node_modules"
