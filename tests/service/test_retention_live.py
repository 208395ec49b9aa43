"""Retention of a real service: bounds kept while runs come and go, marks, a full disk."""

import json
from pathlib import Path
from typing import Any

from tests.service.serving import serving


def old_run(store: Path, name: str, state: str = "complete", **fields: Any) -> Path:
    """A run directory as an earlier run left it."""
    folder = store / name
    folder.mkdir(parents=True)
    day = name[6:8]
    manifest = {
        "schema_version": "1.0",
        "run": name,
        "state": state,
        "started": f"2026-01-{day}T00:00:00+00:00",
        "ended": f"2026-01-{day}T00:01:00+00:00",
        "seed": 1,
        "speed": 1.0,
        "scenario": {"id": "drill-minimal", "title": "A drill"},
        "settings": {},
        "exit_code": 0 if state == "complete" else None,
    } | fields
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "deliveries.parquet").write_bytes(b"x" * 100_000)
    return folder


def names(store: Path) -> set[str]:
    return {path.name for path in store.iterdir() if (path / "manifest.json").exists()}


def test_the_oldest_complete_ones_go_when_there_are_too_many(tmp_path: Path) -> None:
    store = tmp_path / "store"
    old = [old_run(store, f"202601{day:02d}t000000-000a") for day in range(1, 7)]
    old_run(store, "20260107t000000-000b", schema_version="99.0")
    foreign = store / "my-notes"
    foreign.mkdir()
    with serving(tmp_path, "--keep-runs", "4") as service:
        service.until(lambda: service.get("/api/v1/retention")["removed"] == 3)
        assert names(store) == {*(each.name for each in old[3:]), "20260107t000000-000b"}
        assert foreign.is_dir()
        info = service.get("/api/v1/service")["retention"]
        assert (info["runs"], info["most"]) == (4, 4)
        last = info["last_removed"][0]
        assert last["name"] == old[2].name
        assert "more than 4 runs" in last["why"]
        service.until(lambda: service.total("alertsim_store_removed_total") == 3)
        assert service.total("alertsim_store_runs") == 4
        assert service.total("alertsim_store_bytes") == info["size_bytes"] > 300_000
        run = service.play()
        service.ended(run)
        service.until(lambda: old[3].name not in names(store))
        assert {run, old[4].name, old[5].name} <= names(store)
        assert "removed" in service.said()


def test_what_is_marked_or_may_still_be_written_stays(tmp_path: Path) -> None:
    store = tmp_path / "store"
    kept = old_run(store, "20260101t000000-000a")
    written = old_run(store, "20260102t000000-000a", state="running", ended=None)
    killed = old_run(store, "20260103t000000-000a", state="incomplete")
    whole = old_run(store, "20260104t000000-000a")
    with serving(tmp_path) as service:
        path = f"/api/v1/runs/{kept.name}/keep"
        assert service.http.put(path).status_code == 204
        service.until(lambda: service.get("/api/v1/retention")["kept"] == [kept.name])
    with serving(tmp_path, "--keep-runs", "1", "--keep-gib", "0.001") as service:
        service.until(lambda: service.get("/api/v1/retention")["removed"] == 2)
        assert names(store) == {kept.name, written.name}
        assert not killed.exists()
        assert not whole.exists()
        assert "marked" in service.get("/api/v1/retention")["beyond"]
        assert service.http.delete(path).status_code == 204
        service.until(lambda: not kept.exists())


def test_the_store_is_weighed_too(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for day in range(1, 26):
        old_run(store, f"202601{day:02d}t000000-000a")
    with serving(tmp_path, "--keep-gib", "0.001") as service:  # 1,073,741 bytes
        service.until(lambda: 0 < service.get("/api/v1/retention")["size_bytes"] <= 1_073_741)
        info = service.get("/api/v1/retention")
        assert info["most_bytes"] == 1_073_741
        assert info["removed"] == 25 - 10
        assert min(names(store)) == "20260116t000000-000a"
