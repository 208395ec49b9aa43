"""Watching what is over: it is told once, whichever id the reader comes with, and then no more."""

from pathlib import Path

import pytest

from simulator.service.service import Service
from tests.unit.service.application import asked, keep_run


async def _watched(store: Path, last: str | None, kept: bytes | None) -> list[tuple[int, str]]:
    """Status and first line of what a reader gets who asks until it is told to ask no more."""
    found: list[tuple[int, str]] = []
    async with asked(store) as (service, client):
        _kept(service, kept)
        for _ in range(4):
            headers = {} if last is None else {"last-event-id": last}
            answer = await client.get("/api/v1/runs/one/events", headers=headers)
            first = answer.text.partition("\n")[0]
            found.append((answer.status_code, first))
            if answer.status_code == 204:
                break
            last = first.removeprefix("id: ")
    return found


def _kept(service: Service, kept: bytes | None) -> None:
    keep_run(service.store.path, "one")
    if kept is not None:
        service.store.keep_snapshot("one", kept)


@pytest.mark.parametrize("last", [None, "3", "1041", "9999999", "nonsense"])
async def test_whoever_has_not_seen_the_end_is_told_it_once(
    tmp_path: Path, last: str | None
) -> None:
    found = await _watched(tmp_path, last, b'{"type":"snapshot","n":1042}')

    assert found == [(200, "id: 1042"), (204, "")]


async def test_whoever_has_seen_the_end_is_told_so(tmp_path: Path) -> None:
    assert await _watched(tmp_path, "1042", b'{"type":"snapshot","n":1042}') == [(204, "")]


@pytest.mark.parametrize("kept", [None, b"half of a docum"])
async def test_of_a_run_that_told_nothing_whole_the_end_is_told_once(
    tmp_path: Path, kept: bytes | None
) -> None:
    assert await _watched(tmp_path, None, kept) == [(200, "id: 1"), (204, "")]


async def test_a_run_without_any_end_makes_no_reader_ask_for_ever(tmp_path: Path) -> None:
    async with asked(tmp_path) as (_, client):
        keep_run(tmp_path, "one", schema_version="99.0")
        answer = await client.get("/api/v1/runs/one/events")
        again = await client.get("/api/v1/runs/one/events", headers={"last-event-id": "0"})

    assert answer.text.startswith("id: 0\nevent: snapshot\n")
    assert again.status_code == 204
