"""Fixtures for tests of the whole service: the real server, the real broker, real runs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.processes import Alertsim
from tests.service.client import Served

Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start `alertsim serve --port 0 OPTIONS` on a store of its own; killed at the end."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    started: list[Alertsim] = []
    clients: list[Served] = []

    def start(*options: str, store: Path | None = None, token: str = "") -> Served:
        kept = store or tmp_path / "store"
        process = Alertsim(
            ("serve", "--port", "0", "--out", str(kept), *options), tmp_path, len(started)
        )
        started.append(process)
        clients.append(Served(process, kept, token))
        return clients[-1]

    yield start
    for client in clients:
        client.http.close()
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests of a module that leave it as it is."""
    folder = tmp_path_factory.mktemp("service")
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        process = Alertsim(("serve", "--port", "0", "--out", str(folder / "store")), folder, 0)
    served = Served(process, folder / "store")
    yield served
    served.http.close()
    process.process.terminate()
    assert process.wait(30) == 0
