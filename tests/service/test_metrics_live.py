"""`/metrics` of a real service while real runs play."""

from collections.abc import Iterator

import pytest

from simulator.service.metrics_catalogue import catalogue
from tests.service.serving import Serving, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("metrics"), "--max-runs", "2") as service:
        yield service


def test_two_runs_at_once_are_scraped_and_add_up_to_their_ledgers(service: Serving) -> None:
    before = service.total("alertsim_expected_deliveries_total")
    runs = [service.play(subscribers=7, seed=seed, repeat=3) for seed in (1, 2)]
    seen_active = 0.0

    def all_ended() -> bool:
        nonlocal seen_active
        seen_active = max(seen_active, service.total("alertsim_runs_active"))
        return all(service.runs()[run]["exit_code"] is not None for run in runs)

    service.until(all_ended)
    assert seen_active == 2
    ended = [service.ended(run) for run in runs]
    assert {each["root"] for each in ended} == {"alertsim", "alertsim-2"}
    ledgers = [
        service.get(f"/api/v1/runs/{run}/files/summary.json")["ledger"]["total"] for run in runs
    ]
    expected = sum(ledger["expected"] for ledger in ledgers)
    assert expected > 0
    assert service.total("alertsim_expected_deliveries_total") == before + expected
    assert service.total("alertsim_deliveries_total") == before + expected
    delivered = sum(ledger["delivered"] for ledger in ledgers)
    assert service.total("alertsim_receipts_total", kind="first") >= delivered
    assert service.total("alertsim_delivery_latency_seconds_count", segment="delivery") >= delivered
    assert service.total("alertsim_runs_total", outcome="pass") >= 2
    service.until(lambda: service.total("alertsim_runs_active") == 0)
    assert service.total("alertsim_events_refused_total") == 0


def test_every_series_is_of_the_catalogue(service: Serving) -> None:
    service.ended(service.play())
    known = {each["name"]: each["labels"] for each in catalogue()}
    ends = ("_bucket", "_count", "_sum")
    for name, labels in service.metrics():
        if name.startswith("process_"):
            continue
        base = next((name.removesuffix(end) for end in ends if name.endswith(end)), name)
        for label, value in labels:
            assert label == "le" or known[base][label] == [] or value in known[base][label]


def test_a_listening_page_is_counted_while_it_listens(service: Serving) -> None:
    service.until(lambda: service.total("alertsim_pages_connected") == 0)
    with service.http.stream("GET", "/api/v1/events") as stream:
        pieces = stream.iter_raw()
        assert next(pieces)
        service.until(lambda: service.total("alertsim_pages_connected") == 1)
    service.until(lambda: service.total("alertsim_pages_connected") == 0)


def test_a_run_that_never_began_is_counted_all_the_same(service: Serving) -> None:
    before = service.total("alertsim_runs_total")
    run = service.play(speed=1, wait_for_clients=50)
    service.until(lambda: service.runs()[run]["state"] in {"starting", "running"})
    service.http.post(f"/api/v1/runs/{run}/stop")
    service.ended(run)
    service.until(lambda: service.total("alertsim_runs_total") == before + 1)


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=x", "\\", "a/b;q=z"])
def test_a_hostile_accept_header_gets_metrics_all_the_same(service: Serving, accept: str) -> None:
    answer = service.http.get("/metrics", headers={"accept": accept})
    assert answer.status_code == 200
    assert "alertsim_build_info" in answer.text
