"""The chunks on a real Dask scheduler with real workers, over TCP on loopback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulator.errors import AbortedError, ConfigurationError
from simulator.experiment import clusters
from simulator.experiment.clusters import ClusterExecutor, ClusterLostError
from simulator.experiment.drive import MemoryStore, drive
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.plan import Plan

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


@pytest.fixture
def cluster() -> Iterator[Any]:
    made = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=":0",
        silence_logs=50,
    )
    with made, dask.config.set({"distributed.comm.timeouts.connect": "3s"}):
        yield made


def test_a_cluster_gives_the_same_rows(cluster: Any, plan_of: Callable[..., Plan]) -> None:
    plan, here, there = plan_of(100), MemoryStore(), MemoryStore()
    drive(plan, InlineExecutor(), here)
    with ClusterExecutor(cluster.scheduler_address) as executor:
        drive(plan, executor, there)
    assert there.kept == here.kept


def test_lost_workers_lose_nothing(cluster: Any, plan_of: Callable[..., Plan]) -> None:
    plan, here, there = plan_of(300), MemoryStore(), MemoryStore()
    drive(plan, InlineExecutor(), here)

    def replace_all_workers_after_the_first(done: int, _total: int) -> None:
        if done and len(there.kept) == 1:
            cluster.scale(0)
            cluster.scale(1)

    with ClusterExecutor(cluster.scheduler_address) as executor:
        drive(plan, executor, there, progress=replace_all_workers_after_the_first)
    assert there.kept == here.kept


def test_a_cluster_that_goes_away_ends_in_order_and_keeps_what_is_finished(
    cluster: Any, plan_of: Callable[..., Plan]
) -> None:
    plan, store = plan_of(5000), MemoryStore()

    def close_after_the_first(done: int, _total: int) -> None:
        if done:
            cluster.close()

    with (
        ClusterExecutor(cluster.scheduler_address) as executor,
        pytest.raises(ClusterLostError, match="went away") as caught,
    ):
        drive(plan, executor, store, progress=close_after_the_first)
    assert isinstance(caught.value, AbortedError)
    assert store.kept


def test_an_error_of_ours_is_not_taken_for_a_lost_cluster(
    cluster: Any, plan_of: Callable[..., Plan]
) -> None:
    plan = plan_of(2)
    wrong = plan.base.document | {"epoch": "never"}
    broken = Plan(
        **{
            **{name: getattr(plan, name) for name in Plan.__slots__},
            "base": plan.base.__class__(name="wrong", document=wrong),
        }
    )
    with (
        ClusterExecutor(cluster.scheduler_address) as executor,
        pytest.raises(ConfigurationError, match="epoch"),
    ):
        list(executor.play(broken, broken.all_chunks()))


def test_nobody_at_the_address_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_CONNECT_S", 1)
    with pytest.raises(ConfigurationError, match="no Dask scheduler answers") as caught:
        ClusterExecutor("tcp://127.0.0.1:9")
    assert caught.value.field == "--cluster"


@pytest.mark.parametrize(
    "address",
    [
        *(
            "nonsense",
            "http://x",
            "http://x:80",
            "tcp://h",
            "tcp://:8786",
            "tcp://h:0",
            "tcp://h:no",
        ),
        *(
            "h:99999",
            "tcp://[::1:8786",
            "tcp://a@h:1",
            "tcp://h:1/way",
            "nonsense://x y",
            "h h:1",
            "",
        ),
    ],
)
def test_what_is_no_address_is_refused_before_dask_is_asked(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(clusters, "import_module", pytest.fail)
    with pytest.raises(ConfigurationError, match="no address of a Dask scheduler") as caught:
        ClusterExecutor(address)
    assert (caught.value.field, caught.value.value) == ("--cluster", address)
    assert "tcp://HOST:PORT" in caught.value.remedy


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("tcp://10.0.0.5:8786", ("10.0.0.5", 8786)),
        ("tls://broker.example:1/", ("broker.example", 1)),
        ("localhost:8786", ("localhost", 8786)),
        ("tcp://[::1]:8786", ("::1", 8786)),
    ],
)
def test_an_address_has_a_host_and_a_port(address: str, place: tuple[str, int]) -> None:
    assert clusters.scheduler_place(address) == place


def test_a_client_that_cannot_connect_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    # TLS without certificates fails in the middle; pytest fails on what a finalizer raises.
    failed: list[Any] = []
    start = distributed.Client.start

    def noted(client: Any, **rest: Any) -> None:
        failed.append(client)
        start(client, **rest)

    monkeypatch.setattr(distributed.Client, "start", noted)
    with pytest.raises(ConfigurationError, match="no Dask scheduler answers"):
        ClusterExecutor("tls://127.0.0.1:9")
    assert [client.status for client in failed] == ["closed"]


def test_a_scheduler_without_workers_is_said(
    monkeypatch: pytest.MonkeyPatch, plan_of: Callable[..., Plan]
) -> None:
    monkeypatch.setattr(clusters, "_PATIENCE_S", 1)
    empty = distributed.LocalCluster(
        n_workers=0,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=":0",
        silence_logs=50,
    )
    plan = plan_of(2)
    with (
        empty,
        ClusterExecutor(empty.scheduler_address) as executor,
        pytest.raises(ConfigurationError, match="has no workers"),
    ):
        list(executor.play(plan, plan.all_chunks()))


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(clusters, "import_module", missing)
    with pytest.raises(ConfigurationError) as caught:
        ClusterExecutor("tcp://127.0.0.1:9")
    assert "alertsim[dask]" in caught.value.remedy


def test_a_worker_keeps_one_plan(plan_of: Callable[..., Plan]) -> None:
    one, other = plan_of(4), plan_of(4, seed=8)
    first = clusters.play_on_cluster(one, one.chunk(0))
    assert clusters.play_on_cluster(one, one.chunk(0)) == first
    assert clusters.play_on_cluster(other, other.chunk(0)) != first
    assert list(clusters._players) == [other.digest]
