"""Shares of the variance are told as they came out, and a share above the whole is explained."""

from simulator.report.experiment_findings import finding
from tests.unit.report.test_experiment_page import made_experiment


def test_a_share_above_the_whole_is_called_chance() -> None:
    summary, _ = made_experiment("sobol", 32)
    whole = [one for one in summary.shares if one.column == "alert_ns"]
    above = whole[0].model_copy(update={"total": 1.3, "total_interval": (0.2, 2.0)})
    told = finding(summary.model_copy(update={"shares": (above,)}), "alert_ns")
    assert "(130 %)" in told
    assert "A share above 100 % is itself chance" in told
    usual = above.model_copy(update={"total": 0.7})
    assert "itself chance" not in finding(
        summary.model_copy(update={"shares": (usual,)}), "alert_ns"
    )
