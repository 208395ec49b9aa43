"""The runs that a directory holds, and the newest of them.

Rule of the module: only manifests are read, and one that is damaged or of another version is passed
over: what lies beside a run never keeps it from being found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from simulator.errors import OutputError
from simulator.report.manifest import MANIFEST_NAME, Manifest, load_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A run, complete or not.

    Attributes:
        path: its directory.
        manifest: what was run.
        started: when it was created; what has no usable time counts as the oldest.
    """

    path: Path
    manifest: Manifest
    started: datetime


def runs_in(parent: Path) -> Iterator[Found]:
    """Every run that a directory holds, by the name of its directory; none if there is no such."""
    for path in sorted(parent.glob(f"*/{MANIFEST_NAME}")):
        try:
            manifest = load_manifest(path)
        except OutputError:
            continue
        yield Found(path=path.parent, manifest=manifest, started=started(manifest))


def newest_in(directory: Path) -> Path:
    """The newest run that a directory holds; the directory itself if it is a run or holds none."""
    if (directory / MANIFEST_NAME).exists():
        return directory
    found = [(one.started, one.path.name, one.path) for one in runs_in(directory)]
    return max(found)[2] if found else directory


def started(manifest: Manifest) -> datetime:
    """When a run was created; what has no usable time counts as the oldest."""
    try:
        at = datetime.fromisoformat(manifest.started)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
