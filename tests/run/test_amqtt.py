"""A whole run on the fallback broker."""

from collections.abc import Callable

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]


def test_a_run_on_amqtt_accounts_for_every_delivery(alertsim: Start) -> None:
    run = alertsim(
        "run", "drill-minimal", "--broker", "amqtt", "--speed", "600", "--subscribers", "20",
        "--json",
    )  # fmt: skip
    assert run.wait() == 0, run.stderr()
    total = run.document()["ledger"]["total"]
    assert total["expected"] == total["delivered"] == 20
    assert run.document()["broker"]["kind"] == "amqtt"


def test_it_cannot_serve_the_newer_version(alertsim: Start) -> None:
    run = alertsim("run", "drill-minimal", "--broker", "amqtt", "--protocol", "5")
    assert run.wait() == 104
    assert "--protocol 3.1.1" in run.stderr()
