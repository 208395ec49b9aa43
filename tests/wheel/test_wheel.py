"""The built wheel, installed in a clean environment outside the checkout, does the main job."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", wheel],
        check=True,
        capture_output=True,
    )
    return environment / "bin" / "alertsim"


def _call(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_wheel_ships_scenarios_inside_the_package_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "simulator/_shipped/scenarios/tohoku-2022-11-03.yaml" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"simulator"}


def test_installed_wheel_plays_the_founding_case(installed: Path, tmp_path: Path) -> None:
    listed = _call(installed, "scenarios", "--json", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "tohoku-2022-11-03" in {entry["id"] for entry in json.loads(listed.stdout)["scenarios"]}
    played = _call(
        installed,
        *("run", "tohoku-2022-11-03", "--speed", "3000", "--subscribers", "30", "--seed", "7"),
        *("--out", "runs", "--json"),
        cwd=tmp_path,
    )
    assert played.returncode == 0, played.stderr
    summary = json.loads(played.stdout)
    assert summary["ledger"]["total"]["expected"] == 90
    (directory,) = (tmp_path / "runs").iterdir()
    assert (directory / "report.html").is_file()


def test_example_project_passes_beside_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    python = installed.with_name("python")
    needed = ("pytest>=8", "pytest-asyncio>=0.24")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *needed], check=True, capture_output=True
    )
    project = shutil.copytree(ROOT / "docs" / "examples" / "siren", tmp_path / "siren")
    done = _call(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
