"""Messages that expire at the broker: what they leave behind, and who is no longer owed them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]

# At 600 scenario seconds a second: away from 07:55 for 5 s, the messages of 07:56 and 08:06 are
# 4.9 s and 3.9 s old at the return, those of 08:46 come live.
SCENARIO = """\
extends: tohoku-2022-11-03
id: expiry
tests: [{id: check, at: "07:56", every: 10min, count: 2, prefectures: [miyagi]}]
subscribers:
  - {id: terminals, kind: offline, count: 6, prefectures: [miyagi], protocol: mixed,
     leaves: "07:55", returns: "08:45"}
"""


@pytest.mark.mosquitto
@pytest.mark.parametrize(("wanted", "outcome"), [("auto", "expired"), ("never", "queued")])
def test_what_has_expired_is_told_from_what_was_kept_and_lost(
    alertsim: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, outcome: str
) -> None:
    (tmp_path / "expiry.yaml").write_text(SCENARIO, encoding="utf-8")
    monkeypatch.setenv("ALERTSIM_EXPIRES_AFTER", "1s")
    monkeypatch.setenv("ALERTSIM_MESSAGE_EXPIRY", wanted)
    run = alertsim(
        *("run", "expiry.yaml", "--broker", "mosquitto", "--speed", "600", "--out", "runs"),
        "--json",
    )
    assert run.wait() == 0, run.stderr()
    summary = run.document()
    total = summary["ledger"]["total"]
    away = {word: total[word] for word in ("queued", "expired", "lost", "missed_offline")}
    assert away == {"queued": 0, "expired": 0, "lost": 0, "missed_offline": 0, outcome: 6 * 2}
    assert total["expected"] == total["delivered"] + total[outcome]
    (note,) = (each for each in summary["broker"]["notes"] if "expire" in each)
    assert ("1 s after they were sent" in note) == (wanted == "auto")
