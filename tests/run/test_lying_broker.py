"""Whole runs against a broker that cannot be trusted: clear, counted, and over in time."""

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.broker.liar import PINGRESP, PUBACK, PUBLISH, SUBACK, Liar, Packet, lying
from tests.run.processes import Alertsim

pytestmark = pytest.mark.mosquitto
Start = Callable[..., Alertsim]
BURSTS = 12
PEOPLE = 6
OWED = PEOPLE * BURSTS  # each hears one of the two prefectures


@pytest.fixture
def liar(mosquitto: tuple[subprocess.Popen[bytes], int]) -> Iterator[Liar]:
    _, port = mosquitto
    with lying(port) as made:
        yield made


def play(alertsim: Start, liar: Liar, *more: str) -> Alertsim:
    return alertsim(
        *("run", "drill-minimal", "--repeat", str(BURSTS), "--gap", "100ms"),
        *("--subscribers", str(PEOPLE), "--drain", "2s", "--wait-timeout", "20s", "--json"),
        *("--broker", f"mqtt://127.0.0.1:{liar.port}", *more),
    )


def ended(run: Alertsim, code: int, within_s: float = 60) -> dict[str, Any]:
    """The document of a run that ended with this code; no wait of it is without a deadline."""
    assert run.wait(within_s) == code, run.stderr()
    return run.document()


def balanced(summary: dict[str, Any]) -> dict[str, int]:
    """The ledger's counts, whose two equations hold."""
    total: dict[str, int] = summary["ledger"]["total"]
    seen = total["delivered"] + total["late"] + total["queued"]
    unseen = ("expired", "missed_offline", "undetermined", "lost", "not_sent")
    assert total["expected"] == seen + sum(total[name] for name in unseen)
    assert total["receipts"] == seen + total["duplicates"] + total["unexpected"]
    return total


def test_a_broker_that_acknowledges_and_delivers_nothing(alertsim: Start, liar: Liar) -> None:
    liar.rule = lambda packet: [] if packet.is_alert() else [packet.data]
    summary = ended(play(alertsim, liar), 99)

    assert balanced(summary) | {"lost": OWED, "receipts": 0, "delivered": 0} == balanced(summary)
    assert summary["publisher"]["acknowledged"] == summary["publisher"]["sent"] == 2 * BURSTS
    assert summary["verdict"]["reason"].startswith("lost: count==0: ")
    assert len(summary["ledger"]["examples"]) > 0


def test_repeated_and_reordered_deliveries_are_told_apart(alertsim: Start, liar: Liar) -> None:
    def rule(packet: Packet) -> list[bytes]:
        """Of each four: repeated, repeated with DUP, and the third after the fourth."""
        if not packet.is_alert():
            return [packet.data]
        match packet.link.alerts % 4:
            case 1:
                return [packet.data, packet.data]
            case 2:
                return [packet.data, packet.dup]
            case 3:
                packet.link.held.append(packet.data)
                return []
            case _:
                return [packet.data, packet.link.held.pop()]

    liar.rule = rule
    summary = ended(play(alertsim, liar), 0)

    total = balanced(summary)
    assert (total["delivered"], total["duplicates"]) == (OWED, OWED // 2)
    assert summary["ledger"]["duplicate_causes"] == {
        "redelivery": OWED // 4,
        "overlap": 0,
        "broker": OWED // 4,
    }
    assert (summary["order"]["reordered"], summary["order"]["gaps"]) == (OWED // 4, 0)
    assert summary["ledger"]["qos_lowered"] == 0


def test_a_broker_that_lowers_the_qos_is_told_on(alertsim: Start, liar: Liar) -> None:
    liar.rule = lambda packet: [packet.at_qos_0() if packet.is_alert() else packet.data]
    run = play(alertsim, liar, "--threshold", "qos_lowered: count==0")
    summary = ended(run, 99)

    assert balanced(summary)["delivered"] == OWED
    assert summary["ledger"]["qos_lowered"] == OWED
    assert summary["verdict"]["reason"].startswith("qos_lowered: count==0: ")
    kinds = [one["outcome"] for one in summary["ledger"]["examples"]]
    assert kinds.count("qos-lowered") == 5


@pytest.mark.parametrize("stall_s", [3, 30])
def test_a_stall_makes_deliveries_late_and_nothing_hang(
    alertsim: Start, liar: Liar, stall_s: int
) -> None:
    patient = ("--threshold", "delivery_latency{population=live}: max<90s")
    run = play(alertsim, liar, "--late-after", "1s", "--drain", f"{stall_s + 20}s", *patient)
    run.wait_for("sent: ")
    liar.freeze(stall_s)
    summary = ended(run, 0, 60 + stall_s)

    total = balanced(summary)
    assert total["delivered"] + total["late"] == OWED
    assert total["late"] > 0
    assert summary["ledger"]["total"]["lost"] == 0


def test_connections_closed_all_at_once_end_the_run_as_106(alertsim: Start, liar: Liar) -> None:
    run = play(alertsim, liar)
    run.wait_for("sent: ")
    liar.close_all()
    summary = ended(run, 106)

    total = balanced(summary)
    assert total["expected"] == OWED
    assert total["not_sent"] > 0
    assert summary["completeness"]["state"] == "incomplete"
    assert "closed" in summary["completeness"]["reason"]


def test_subscribers_that_are_sent_rubbish_come_back_and_are_accounted_for(
    alertsim: Start, liar: Liar
) -> None:
    spoilt: set[int] = set()

    def rule(packet: Packet) -> list[bytes]:
        """The third alert to each subscriber comes as rubbish, once."""
        if not packet.is_alert() or packet.link.alerts != 3 or len(spoilt) == PEOPLE:
            return [packet.data]
        spoilt.add(packet.link.number)
        return [b"\x30\xff\xff\xff\xff\x01"]

    liar.rule = rule
    summary = ended(play(alertsim, liar), 99)

    total = balanced(summary)
    assert len(spoilt) == PEOPLE
    assert total["expected"] == OWED
    assert PEOPLE <= OWED - total["delivered"] < OWED  # at least the spoilt ones, and not all
    assert total["lost"] + total["missed_offline"] + total["undetermined"] >= PEOPLE


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SUBACK, "no answer to SUBSCRIBE"),
        (PUBLISH, "it delivers nothing"),
    ],
)
def test_a_broker_that_never_answers_is_106_before_anything_is_sent(
    alertsim: Start, liar: Liar, kind: int, words: str
) -> None:
    liar.rule = lambda packet: [] if packet.kind == kind else [packet.data]
    began = time.monotonic()
    run = play(alertsim, liar)
    assert run.wait(60) == 106, run.stderr()

    assert time.monotonic() - began < 40
    assert "sent: " not in run.stderr()
    assert words in run.stderr()


def test_rubbish_instead_of_connack_is_106(alertsim: Start, liar: Liar) -> None:
    liar.rule = lambda _: [b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    run = play(alertsim, liar)
    assert run.wait(60) == 106, run.stderr()
    assert "MQTT" in run.stderr()
    assert "sent: " not in run.stderr()


def test_a_broker_that_answers_no_ping_is_given_up(
    alertsim: Start, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTSIM_KEEP_ALIVE", "2s")
    liar.rule = lambda packet: [] if packet.kind == PINGRESP else [packet.data]
    run = play(alertsim, liar, "--hold", "30s")
    run.wait_for("sent: ")
    summary = ended(run, 106, 40)

    assert balanced(summary)["expected"] == OWED
    assert summary["completeness"]["state"] == "incomplete"
    assert "sign of life" in summary["completeness"]["reason"]


@pytest.mark.parametrize(("bursts", "code"), [(8, 0), (BURSTS, 106)])
def test_a_broker_that_acknowledges_nothing_is_waited_for_only_so_long(
    alertsim: Start, liar: Liar, bursts: int, code: int
) -> None:
    liar.rule = lambda packet: [] if packet.kind == PUBACK else [packet.data]
    summary = ended(play(alertsim, liar, "--repeat", str(bursts)), code, 90)

    total = balanced(summary)
    assert summary["publisher"]["acknowledged"] == 0
    if code:  # this broker takes 20 unacknowledged messages, and no more
        assert summary["publisher"]["sent"] == 20
        assert "stopped taking messages" in summary["completeness"]["reason"]
        assert total["not_sent"] > 0
    else:
        assert total["delivered"] == PEOPLE * bursts  # an acknowledgement is not a delivery
